"""Shows gdb the symbols and unwind tables of the images that a stopped process has mapped.

  (gdb) source tools/proofs/precast_gdb.py
  (gdb) precast-symbols

Images are found in /proc/PID/maps, so they must be mapped from their files: `aotc run --share-pages`,
or LoadOptions::share_pages. (A copy in private memory has no name that gdb could look up.)
"""

import gdb


def mapped_images(pid):
    """Yields (path, base) of every mapped file that begins an ELF image with `aot_file_info`."""
    seen = set()
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            fields = line.rstrip("\n").split(None, 5)
            if len(fields) < 6 or int(fields[2], 16) != 0 or fields[5] in seen:
                continue
            try:
                with open(fields[5], "rb") as file:
                    head = file.read(4096)
            except OSError:
                continue
            if head.startswith(b"\x7fELF") and b"\0aot_file_info\0" in head:
                seen.add(fields[5])
                yield fields[5], int(fields[0].split("-")[0], 16)


class PrecastSymbols(gdb.Command):
    """Add the symbols of every Precast image that the process has mapped."""

    def __init__(self):
        super().__init__("precast-symbols", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        count = 0
        for path, base in mapped_images(gdb.selected_inferior().pid):
            gdb.execute(f'add-symbol-file "{path}" -o {base:#x}', to_string=True)
            print(f"{path} at {base:#x}")
            count += 1
        if count == 0:
            print("No image is mapped from its file (aotc run --share-pages IMAGE).")


PrecastSymbols()
