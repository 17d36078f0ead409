"""Tables of any size in files, read and written some rows at a time: Parquet, CSV, Delta Lake."""

from modelops_jupyter.table_files.reading import TableSource, open_table
from modelops_jupyter.table_files.writing import check_output, write_table

__all__ = ["TableSource", "check_output", "open_table", "write_table"]
