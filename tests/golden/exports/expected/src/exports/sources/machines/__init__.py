"""What the machines of each plant send"""
