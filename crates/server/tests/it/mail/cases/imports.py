"""Takes up lists of suppliers."""
import json


def parse_row(row, columns):
    record = dict(zip(columns, row))
    record["price"] = float(record["price"])
    return record


def take_up(path, rows, columns):
    payload = json.dumps(rows)
    return [parse_row(row, columns) for row in rows], payload


def main():
    columns = ["sku", "name", "price"]
    rows = [["sku-%05d" % n, "A garden chair of many colours, number %d" % n, "12.50"] for n in range(400)]
    rows.append(["sku-99999", "The last one", "on request"])
    return take_up("/var/spool/suppliers/chairs-2026-11.json", rows, columns)
