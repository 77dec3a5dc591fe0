"""In gpudoctor.pyz as `precompiled`: gives code that was compiled for this Python beforehand.

Compiling what a check imports takes half a second, and a file on a read-only system cannot keep
the result. So the archive holds it for several versions of Python, below `compiled/` by the magic
number of their byte code; every other Python compiles the sources, which lie there too. All
modules of one part are one entry, which packs and reads better than one by one.

Importing this is enough. It runs in children too, in any Python from 3.8 on.
"""

import marshal
import sys
import zipimport
from _frozen_importlib_external import MAGIC_NUMBER, path_sep

_ARCHIVE = __loader__.archive
_FOLDER = "compiled/" + MAGIC_NUMBER.hex() + "/"


def _part(name):
    """What lies there: the code of modules, or their part, by the path in here without `.py`."""
    return marshal.loads(__loader__.get_data(_FOLDER + name))


class _Importer(zipimport.zipimporter):
    """Python's own importer from archives, but for where the code comes from."""

    def get_filename(self, fullname):
        """Python's own finds the file's name by compiling it, so that each is compiled twice."""
        inside = path_sep + "__init__.py" if self.is_package(fullname) else ".py"
        return self.archive + path_sep + self._place(fullname).replace("/", path_sep) + inside

    def get_code(self, fullname):
        place = self._place(fullname)
        part = _parts.get(place)
        if part is None:
            return super().get_code(fullname)
        if part not in _code:
            _code[part] = _part(part)
        return _code[part][place]

    def _place(self, fullname):
        return self.prefix.replace("\\", "/") + fullname.rpartition(".")[2]


def _importer(path):
    if path != _ARCHIVE and not path.startswith((_ARCHIVE + "/", _ARCHIVE + "\\")):
        raise ImportError("not in this archive", path=path)
    return _Importer(path)


_code = {}
try:
    _parts = _part("parts")
except OSError:  # nothing is compiled for this Python
    _parts = {}
sys.path_hooks.insert(0, _importer)
for _path in list(sys.path_importer_cache):
    if _path.startswith(_ARCHIVE):
        del sys.path_importer_cache[_path]
