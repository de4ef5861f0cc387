"""What the figures were measured on."""

import pathlib
import platform
import re
import subprocess

# Those that decide which kernels run.
INSTRUCTIONS = ("avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def cpu_field(name):
    found = re.search(rf"^{name}\s*:\s*(.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def system_name():
    release = pathlib.Path("/etc/os-release")
    found = re.search(r'^PRETTY_NAME="?([^"\n]+)', release.read_text(), re.MULTILINE) if release.exists() else None
    return found.group(1) if found else platform.platform()


def onednn_version(program):
    """Of Debian's package that owns the library which the program loads."""
    found = re.search(r"libdnnl\S* => (\S+)", output_of("ldd", program))
    if not found:
        return "unknown"
    path = str(pathlib.Path(found.group(1)).resolve())
    for name in (path, path.removeprefix("/usr")):
        package = output_of("dpkg-query", "--search", name).split(":")[0]
        if package:
            return package_version(package)
    return "unknown"


def package_version(package):
    return output_of("dpkg-query", "--show", "--showformat=${Version}", package) or "unknown"


def describe(program):
    flags = cpu_field("flags").split()
    return {
        "cpu": cpu_field("model name"),
        "family_model": f"{cpu_field('cpu family')}/{cpu_field('model')}",
        "cores": len(re.findall(r"^processor\s*:", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "system": system_name(),
        "compiler": output_of("c++", "--version").splitlines()[0] if output_of("c++", "--version") else "unknown",
        "onednn": onednn_version(program),
        "commit": output_of("git", "rev-parse", "--short", "HEAD") or "unknown",
        "python": platform.python_version(),
    }
