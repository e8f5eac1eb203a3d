"""What a mapping may reach: pure modules of the standard library, name by name where a module is not pure as a whole."""

from __future__ import annotations

# Modules of the standard library, and the names in them that are pure; None: all public ones.
PURE: dict[str, frozenset[str] | None] = {
    "__future__": None,
    "abc": None,
    "base64": frozenset({"b16encode", "b16decode", "b32encode", "b32decode", "b64encode", "b64decode", "b85encode",
                         "b85decode", "standard_b64encode", "standard_b64decode", "urlsafe_b64encode",
                         "urlsafe_b64decode"}),
    "binascii": None,
    "bisect": None,
    "calendar": frozenset({"isleap", "leapdays", "monthrange", "weekday", "timegm"}),
    "cmath": None,
    "collections": None,
    "collections.abc": None,
    "contextlib": frozenset({"AbstractContextManager", "ExitStack", "closing", "contextmanager", "nullcontext", "suppress"}),
    "copy": None,
    "dataclasses": frozenset({"FrozenInstanceError", "InitVar", "KW_ONLY", "MISSING", "asdict", "astuple", "dataclass",
                              "field", "fields", "is_dataclass", "replace"}),
    "datetime": None,
    "decimal": None,
    "difflib": None,
    "enum": None,
    "fractions": None,
    "functools": frozenset({"cmp_to_key", "partial", "partialmethod", "reduce", "total_ordering", "wraps"}),
    "hashlib": frozenset({"blake2b", "blake2s", "new", "sha1", "sha224", "sha256", "sha384", "sha3_256", "sha3_384",
                          "sha3_512", "sha512", "md5"}),
    "heapq": None,
    "html": frozenset({"escape", "unescape", "entities"}),
    "html.entities": None,
    "io": frozenset({"BytesIO", "StringIO"}),
    "itertools": None,
    "json": frozenset({"JSONDecodeError", "dumps", "loads"}),
    "math": None,
    "numbers": None,
    "operator": None,
    "pathlib": frozenset({"Path", "PurePath", "PurePosixPath", "PureWindowsPath"}),
    "re": None,
    "string": None,
    "struct": None,
    "textwrap": None,
    "tomllib": frozenset({"TOMLDecodeError", "loads"}),
    "types": frozenset({"MappingProxyType", "NoneType", "SimpleNamespace"}),
    "typing": None,
    "unicodedata": None,
    "urllib.parse": None,
    "uuid": frozenset({"NAMESPACE_DNS", "NAMESPACE_OID", "NAMESPACE_URL", "NAMESPACE_X500", "UUID", "uuid3", "uuid5"}),
    "xml.sax.saxutils": frozenset({"escape", "quoteattr", "unescape"}),
    "zlib": None,
}  # fmt: skip

# Names inside those modules that are not pure.
IMPURE = {
    "datetime.datetime.now": "clock",
    "datetime.datetime.utcnow": "clock",
    "datetime.datetime.today": "clock",
    "datetime.date.today": "clock",
    "datetime.date.fromtimestamp": "environment",
    "decimal.getcontext": "state",
    "decimal.setcontext": "state",
    "operator.attrgetter": "dynamic",
    "operator.methodcaller": "dynamic",
    "operator.setitem": "state",
    "operator.delitem": "state",
    "typing.get_type_hints": "dynamic",
    "typing.ForwardRef": "dynamic",
    "re.Scanner": "dynamic",
}

# What kind of impurity a module stands for; any other is `foreign`.
MODULES = {
    "clock": "time sched zoneinfo timeit",
    "network": "socket ssl http urllib ftplib smtplib poplib imaplib xmlrpc socketserver select selectors requests httpx "
    "httpx2 aiohttp urllib3 pika telnetlib nntplib",
    "files": "shutil tempfile fileinput glob fnmatch zipfile tarfile gzip bz2 lzma sqlite3 dbm shelve pickle marshal mmap "
    "codecs linecache configparser csv",
    "chance": "random secrets",
    "environment": "os posix nt sys platform locale getpass pwd grp site sysconfig gettext ctypes resource",
    "threads": "threading _thread asyncio concurrent multiprocessing queue signal subprocess contextvars",
    "dynamic": "importlib builtins imp runpy pkgutil code codeop inspect gc weakref ast dis symtable __main__ types",
    "output": "logging warnings syslog pprint traceback structlog",
}
KIND_OF_MODULE = {name: kind for kind, names in MODULES.items() for name in names.split()}

BUILTINS = {
    "open": "files",
    "input": "environment",
    "print": "output",
    "eval": "dynamic",
    "exec": "dynamic",
    "compile": "dynamic",
    "__import__": "dynamic",
    "__builtins__": "dynamic",
    "__loader__": "dynamic",
    "__spec__": "dynamic",
    "globals": "dynamic",
    "locals": "dynamic",
    "vars": "dynamic",
    "breakpoint": "dynamic",
    "setattr": "state",
    "delattr": "state",
    "hash": "chance",
    "id": "chance",
    "exit": "dynamic",
    "quit": "dynamic",
}

# Attributes that are impure on whatever they are found: the last net under aliases nobody can follow.
ATTRIBUTES = {
    "clock": "now utcnow today monotonic monotonic_ns perf_counter time_ns localtime gmtime",
    "chance": "uuid1 uuid4 uuid6 uuid7 getnode urandom token_bytes token_hex token_urlsafe randbytes randint randrange "
    "getrandbits",
    "files": "read_text read_bytes write_text write_bytes iterdir rglob glob unlink mkdir rmdir touch expanduser cwd "
    "symlink_to hardlink_to is_file is_dir is_symlink exists lstat samefile readlink chmod fromfile tofile",
    "environment": "environ getenv environb putenv getcwd gethostname",
    "network": "urlopen create_connection getaddrinfo gethostbyname",
    "dynamic": "import_module modules meta_path exec_module __subclasses__ __globals__ __builtins__ __import__ __dict__ "
    "__class__ __bases__ __base__ __mro__ __code__ __closure__ __getattribute__ __loader__ __spec__ __self__ "
    "__func__ __wrapped__ __reduce__ __reduce_ex__ f_globals f_builtins f_locals f_back gi_frame cr_frame tb_frame",
    "state": "__setattr__ __delattr__ __setitem__ __delitem__ cache_clear",
}
KIND_OF_ATTRIBUTE = {name: kind for kind, names in ATTRIBUTES.items() for name in names.split()}

# A path only names a file of the package; what else it can do touches the disk.
SAFE_ON_PATHS = frozenset(
    {"parent", "name", "stem", "suffix", "suffixes", "parts", "joinpath", "with_name", "with_suffix"}
)
READS_FILES = frozenset({"load_codes", "load_labels", "load_shape", "load_stylesheet"})
API = "intermediary.mapping.api"
CORE = "intermediary.core"

# What makes something that can be changed, and what keeps count of how far it is.
MAKES_MUTABLE = frozenset(
    {
        *(f"builtins.{name}" for name in ("list", "dict", "set", "bytearray", "object")),
        *(f"collections.{name}" for name in ("Counter", "OrderedDict", "defaultdict", "deque", "ChainMap")),
        *("collections.UserDict", "collections.UserList", "types.SimpleNamespace", "io.BytesIO", "io.StringIO"),
    }
)
MAKES_ITERATOR = frozenset(f"builtins.{name}" for name in ("iter", "map", "filter", "zip", "reversed", "enumerate"))
IN_ORDER = frozenset(f"builtins.{name}" for name in ("list", "tuple", "enumerate", "iter", "next", "zip", "map"))
IN_ORDER |= {"builtins.dict.fromkeys", "itertools.chain", "collections.deque"}

# What may be done with a table at module level: methods that read, and functions that only look.
READS = frozenset(
    {"get", "items", "keys", "values", "copy", "index", "count", "union", "intersection", "difference"}
    | {"issubset", "issuperset", "isdisjoint", "symmetric_difference"}
)
ONLY_LOOK = frozenset(
    {
        *(f"builtins.{name}" for name in ("len", "sorted", "min", "max", "sum", "any", "all", "tuple", "frozenset")),
        *(f"builtins.{name}" for name in ("set", "dict", "list", "enumerate", "zip", "isinstance", "reversed", "str")),
        *("builtins.repr", "types.MappingProxyType", "collections.Counter"),
    }
)
CHANGES = frozenset(
    {"append", "add", "update", "setdefault", "pop", "popitem", "clear", "extend", "insert", "remove", "discard"}
    | {"sort", "reverse", "appendleft", "popleft", "subtract", "write", "send"}
)
