"""Whether two engines gave the same rows."""

from datetime import date, datetime, timezone
from decimal import Decimal

# Of a float, how far apart two values may be (of a whole, and of themselves).
TOLERANCE = 1e-9


def rows(answer):
    """Rows of an Arrow table, or of Python, in types that compare."""
    if isinstance(answer, list):
        return [tuple(plain(value) for value in row) for row in answer]
    columns = [[plain(value) for value in column.to_pylist()] for column in answer.columns]
    return list(zip(*columns))


def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize()
    if isinstance(value, float):
        return value
    if isinstance(value, datetime):
        zoned = value if value.tzinfo is None else value.astimezone(timezone.utc)
        return zoned.replace(tzinfo=None).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value


def same_value(a, b):
    if isinstance(a, float) or isinstance(b, float):
        if a is None or b is None:
            return a is b
        a, b = float(a), float(b)
        return a == b or abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))
    return a == b


def differences(left, right, ordered):
    """What differs, in words; nothing if all rows are equal."""
    if len(left) != len(right):
        return [f"{len(left)} rows against {len(right)}"]
    if not ordered:
        left, right = sorted(left, key=order), sorted(right, key=order)
    return [
        f"row {at}: {a} against {b}"
        for at, (a, b) in enumerate(zip(left, right))
        if len(a) != len(b) or not all(same_value(x, y) for x, y in zip(a, b))
    ]


def order(row):
    """Floats last, because they need not be equal to the digit."""
    exact = [repr(value) for value in row if not isinstance(value, float)]
    return exact, [value for value in row if isinstance(value, float)]
