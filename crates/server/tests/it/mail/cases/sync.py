"""Fetches stock of all warehouses at once."""
import asyncio


async def stock_of(warehouse):
    await asyncio.sleep(0)
    if warehouse["items"] is None:
        raise LookupError("warehouse %(city)s answers nothing" % warehouse)
    return len(warehouse["items"])


async def sync_all(warehouses):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(stock_of(warehouse)) for warehouse in warehouses]
    return sum(task.result() for task in tasks)


def main():
    warehouses = [
        {"city": "Bern", "items": [1, 2, 3]},
        {"city": "Genève", "items": None},
        {"city": "Zürich", "items": None},
    ]
    return asyncio.run(sync_all(warehouses))
