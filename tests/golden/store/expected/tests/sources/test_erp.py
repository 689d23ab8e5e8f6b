"""erp: made-up records over real HTTP through the real code into a real PostgreSQL."""

from collections.abc import Callable
from typing import Any

import pytest

from store.runtime.connect import Destination
from store.runtime.errors import ContractError
from store.runtime.fake_api import FakeApi, serve
from store.runtime.testing import cursors_of, load_from, reasons_of, rows_in, rows_of
from store.sources.erp import connection, customers, orders, payments

FAULTS = ["429", "500", "stall", "half", "reset"]

GOOD_ORDERS = [
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "birch"}, "quantity": 2, "price": 2.02}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 2, "shipping": {"address": {"city": "birch"}}, "total": 2.02, "lines": [{"product": {"sku": "cedar"}, "quantity": 3, "price": null}], "updated_at": "2026-01-16T09:31:00Z"}',
    '{"id": 3, "shipping": {"address": {"city": null}}, "total": null, "lines": null, "updated_at": "2026-01-17T09:32:00Z"}',
]

BAD_ORDERS = [
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "birch"}, "quantity": 2, "price": 2.02}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": "twelve", "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "birch"}, "quantity": 2, "price": 2.02}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": null, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "birch"}, "quantity": 2, "price": 2.02}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": "twelve", "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "birch"}, "quantity": 2, "price": 2.02}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": -1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "birch"}, "quantity": 2, "price": 2.02}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": null}, "quantity": 1, "price": 1.01}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "amber"}, "quantity": "twelve", "price": 1.01}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "amber"}, "quantity": null, "price": 1.01}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "amber"}, "quantity": 0, "price": 1.01}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "amber"}, "quantity": 1, "price": "twelve"}], "updated_at": "2026-01-15T09:30:00Z"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "birch"}, "quantity": 2, "price": 2.02}], "updated_at": "someday"}',
    '{"id": 1, "shipping": {"address": {"city": "amber"}}, "total": 1.01, "lines": [{"product": {"sku": "amber"}, "quantity": 1, "price": 1.01}, {"product": {"sku": "birch"}, "quantity": 2, "price": 2.02}], "updated_at": null}',
]

BROKEN_ORDERS_RULES = [
    "order_id is not a whole number",
    "order_id is required",
    "total is not a number",
    'total breaks "is at least 0"',
    "lines is not an array of objects",
    "lines[2].sku is required",
    "lines[2].quantity is not a whole number",
    "lines[2].quantity is required",
    'lines[2].quantity breaks "is at least 1"',
    "lines[2].price is not a number",
    "updated_at is not a timestamp like 2026-01-31T23:59:59",
    "updated_at is required",
]

GOOD_CUSTOMERS = [
    '{"id": "0ab920fd-4894-5356-93b0-eaf4a590e5e4", "name": "amber"}',
    '{"id": "5ba3387f-4064-554b-8169-94a7e76bef04", "name": "birch"}',
    '{"id": "f0061939-5f23-58cf-8fd2-39947ae6d6c1", "name": null}',
]

BAD_CUSTOMERS = [
    '{"id": "0ab920fd-4894-5356-93b0-eaf4a590e5e4", "name": "amber"}',
    '{"id": "no-uuid", "name": "amber"}',
    '{"id": null, "name": "amber"}',
]

BROKEN_CUSTOMERS_RULES = [
    "id is not a UUID",
    "id is required",
]

GOOD_PAYMENTS = [
    '{"no": 1, "amount": 1.01}',
    '{"no": 2, "amount": 2.02}',
    '{"no": 3, "amount": 3.03}',
]

BAD_PAYMENTS = [
    '{"no": 1, "amount": 1.01}',
    '{"no": "twelve", "amount": 1.01}',
    '{"no": null, "amount": 1.01}',
    '{"no": 1, "amount": "twelve"}',
    '{"no": 1, "amount": null}',
]

BROKEN_PAYMENTS_RULES = [
    "payment_no is not a whole number",
    "payment_no is required",
    "amount is not a number",
    "amount is required",
]


def test_orders_are_loaded_once(destination: Destination) -> None:
    with serve(FakeApi(orders.ENDPOINT, GOOD_ORDERS)) as fake:
        counts = load_from(destination, fake.client(), orders)
        rows = rows_of(destination, orders)
    with serve(FakeApi(orders.ENDPOINT, GOOD_ORDERS)) as fake:
        load_from(destination, fake.client(), orders)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, orders) == rows
    assert len(rows_in(destination, orders.LINES_TABLE)) == 3


def test_faults_lose_no_orders(destination: Destination) -> None:
    with serve(FakeApi(orders.ENDPOINT, GOOD_ORDERS, FAULTS[:])) as fake:
        counts = load_from(destination, fake.client(), orders)

    assert [request.answer for request in fake.seen][: len(FAULTS)] == FAULTS
    assert fake.seen[1].at - fake.seen[0].at >= fake.retry_after
    assert counts.loaded == 3


def test_orders_stay_as_they_were_where_the_api_breaks_off(
    destination: Destination,
) -> None:
    with serve(FakeApi(orders.ENDPOINT, GOOD_ORDERS[:1])) as fake:
        load_from(destination, fake.client(), orders)
        before = rows_of(destination, orders), cursors_of(destination)
    with serve(FakeApi(orders.ENDPOINT, GOOD_ORDERS, ["", "403"])) as fake:
        with pytest.raises(ContractError, match="answers 403"):
            load_from(destination, fake.client(), orders)

    assert (rows_of(destination, orders), cursors_of(destination)) == before


def test_a_repeated_page_of_orders_counts_once(destination: Destination) -> None:
    with serve(FakeApi(orders.ENDPOINT, GOOD_ORDERS, ["", "repeat"])) as fake:
        counts = load_from(destination, fake.client(), orders)

    assert counts.loaded == len(rows_of(destination, orders)) == 3


def test_bad_orders_are_set_aside(destination: Destination) -> None:
    with serve(FakeApi(orders.ENDPOINT, BAD_ORDERS)) as fake:
        counts = load_from(destination, fake.client(), orders)

    assert reasons_of(destination) == BROKEN_ORDERS_RULES
    assert counts.loaded == 1


def test_customers_are_loaded_once(destination: Destination) -> None:
    with serve(FakeApi(customers.ENDPOINT, GOOD_CUSTOMERS)) as fake:
        counts = load_from(destination, fake.client(), customers)
        rows = rows_of(destination, customers)
    with serve(FakeApi(customers.ENDPOINT, GOOD_CUSTOMERS)) as fake:
        load_from(destination, fake.client(), customers)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, customers) == rows


def test_faults_lose_no_customers(destination: Destination) -> None:
    with serve(FakeApi(customers.ENDPOINT, GOOD_CUSTOMERS, FAULTS[:])) as fake:
        counts = load_from(destination, fake.client(), customers)

    assert [request.answer for request in fake.seen][: len(FAULTS)] == FAULTS
    assert fake.seen[1].at - fake.seen[0].at >= fake.retry_after
    assert counts.loaded == 3


def test_customers_stay_as_they_were_where_the_api_breaks_off(
    destination: Destination,
) -> None:
    with serve(FakeApi(customers.ENDPOINT, GOOD_CUSTOMERS[:1])) as fake:
        load_from(destination, fake.client(), customers)
        before = rows_of(destination, customers), cursors_of(destination)
    with serve(FakeApi(customers.ENDPOINT, GOOD_CUSTOMERS, ["", "403"])) as fake:
        with pytest.raises(ContractError, match="answers 403"):
            load_from(destination, fake.client(), customers)

    assert (rows_of(destination, customers), cursors_of(destination)) == before


def test_a_repeated_page_of_customers_counts_once(destination: Destination) -> None:
    with serve(FakeApi(customers.ENDPOINT, GOOD_CUSTOMERS, ["", "repeat"])) as fake:
        counts = load_from(destination, fake.client(), customers)

    assert counts.loaded == len(rows_of(destination, customers)) == 3


def test_bad_customers_are_set_aside(destination: Destination) -> None:
    with serve(FakeApi(customers.ENDPOINT, BAD_CUSTOMERS)) as fake:
        counts = load_from(destination, fake.client(), customers)

    assert reasons_of(destination) == BROKEN_CUSTOMERS_RULES
    assert counts.loaded == 1


def test_payments_are_loaded_once(destination: Destination) -> None:
    with serve(FakeApi(payments.ENDPOINT, GOOD_PAYMENTS)) as fake:
        counts = load_from(destination, fake.client(), payments, {"order": "1"})
        rows = rows_of(destination, payments)
    with serve(FakeApi(payments.ENDPOINT, GOOD_PAYMENTS)) as fake:
        load_from(destination, fake.client(), payments, {"order": "1"})

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, payments) == rows


def test_faults_lose_no_payments(destination: Destination) -> None:
    with serve(FakeApi(payments.ENDPOINT, GOOD_PAYMENTS, FAULTS[:])) as fake:
        counts = load_from(destination, fake.client(), payments, {"order": "1"})

    assert [request.answer for request in fake.seen][: len(FAULTS)] == FAULTS
    assert fake.seen[1].at - fake.seen[0].at >= fake.retry_after
    assert counts.loaded == 3


def test_payments_stay_as_they_were_where_the_api_breaks_off(
    destination: Destination,
) -> None:
    with serve(FakeApi(payments.ENDPOINT, GOOD_PAYMENTS[:1])) as fake:
        load_from(destination, fake.client(), payments, {"order": "1"})
        before = rows_of(destination, payments), cursors_of(destination)
    with serve(FakeApi(payments.ENDPOINT, GOOD_PAYMENTS, ["403"])) as fake:
        with pytest.raises(ContractError, match="answers 403"):
            load_from(destination, fake.client(), payments, {"order": "1"})

    assert (rows_of(destination, payments), cursors_of(destination)) == before


def test_bad_payments_are_set_aside(destination: Destination) -> None:
    with serve(FakeApi(payments.ENDPOINT, BAD_PAYMENTS)) as fake:
        counts = load_from(destination, fake.client(), payments, {"order": "1"})

    assert reasons_of(destination) == BROKEN_PAYMENTS_RULES
    assert counts.loaded == 1


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fakes = [
        FakeApi(orders.ENDPOINT, GOOD_ORDERS),
        FakeApi(customers.ENDPOINT, GOOD_CUSTOMERS),
        FakeApi(payments.ENDPOINT, GOOD_PAYMENTS),
    ]
    with serve(*fakes) as api:
        monkeypatch.setattr(connection, "connect", api.client)
        run = run_dag("store__erp")

    assert run.state == "success"
    assert len(rows_of(destination, orders)) == 3
    assert len(rows_of(destination, customers)) == 3
    assert rows_of(destination, payments)
