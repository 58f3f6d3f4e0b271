"""Self-contained HTML pages that show what was measured."""

from filar.report.page import page_path, write_file_report, write_index, write_report

__all__ = ["page_path", "write_file_report", "write_index", "write_report"]
