"""Tables: the columns of a resource, and the cells of an object."""

from sekisho.apiserver.tables.cells import age, duration
from sekisho.apiserver.tables.printers import row_conditions, table_columns, table_row

__all__ = ["age", "duration", "row_conditions", "table_columns", "table_row"]
