"""What etlgen's commands take with one source and with a thousand, beside other generators."""
