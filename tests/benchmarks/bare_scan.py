"""DuckDB's bare scan: the sum of every number, of the length of every text; runs in DuckDB's own environment.

Arguments: how often, which columns (``all`` or ``features``), then the files. Prints the seconds of each run as JSON.
"""

import json
import sys
import time

import duckdb

files = sys.argv[3:]
connection = duckdb.connect()
kinds = {row[0]: row[1] for row in connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [files]).fetchall()}
terms = []
for name, kind in kinds.items():
    if sys.argv[2] == "features" and name != "timestamp" and not name[1:].isdigit():
        continue
    quoted = '"' + name.replace('"', '""') + '"'
    term = {"VARCHAR": f"sum(strlen({quoted}))", "DOUBLE": f"sum({quoted})", "BIGINT": f"sum({quoted})"}.get(kind)
    terms.append(term or f"max({quoted})")
seconds = []
for _ in range(int(sys.argv[1])):
    begin = time.perf_counter()
    connection.execute(f"SELECT {', '.join(terms)} FROM read_parquet(?)", [files]).fetchall()
    seconds.append(time.perf_counter() - begin)
print(json.dumps(seconds))
