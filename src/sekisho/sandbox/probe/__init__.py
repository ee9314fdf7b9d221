"""The files of /proc, /sys and /etc that programs probe, as rows with generators."""

from sekisho.sandbox.probe.rows import FILTERED, PROC, SYS, proc_file, process_file, sys_files
from sekisho.sandbox.probe.world import World

__all__ = ["FILTERED", "PROC", "SYS", "World", "proc_file", "process_file", "sys_files"]
