"""Writes the image of the pods: a static busybox, as the archive that `ctr images import` takes.

    image.py FILE
"""

import hashlib
import io
import json
import platform
import shutil
import sys
import tarfile

NAME = "localhost/app:1"
FOLDERS = ("bin", "dev", "etc", "proc", "sys", "tmp")
# Names under which busybox is each of its programs.
PROGRAMS = ("cat", "echo", "grep", "hostname", "httpd", "ip", "nc", "ping", "sh", "sleep", "traceroute", "wget")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def entry(name, kind=tarfile.REGTYPE, size=0, target=""):
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.size, info.linkname = 0o755, kind, size, target
    return info


def add_file(archive, name, content):
    archive.addfile(entry(name, size=len(content)), io.BytesIO(content))


def layer():
    """The file system of a pod, as a tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for folder in FOLDERS:
            archive.addfile(entry(folder, tarfile.DIRTYPE))
        with open(shutil.which("busybox"), "rb") as busybox:
            add_file(archive, "bin/busybox", busybox.read())
        for program in PROGRAMS:
            archive.addfile(entry(f"bin/{program}", tarfile.SYMTYPE, target="busybox"))
    return out.getvalue()


def configuration(layer_id):
    """What a container runs if nothing else is said: it waits until it is told to end."""
    machine = platform.machine()
    wait = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait; done"
    return {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {"Entrypoint": ["/bin/sh", "-c", wait], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_id}"]},
    }


def main(path):
    files = layer()
    layer_id = hashlib.sha256(files).hexdigest()
    config = json.dumps(configuration(layer_id)).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [NAME], "Layers": [f"{layer_id}.tar"]}]
    with tarfile.open(path, "w") as archive:
        add_file(archive, config_name, config)
        add_file(archive, f"{layer_id}.tar", files)
        add_file(archive, "manifest.json", json.dumps(manifest).encode())


main(sys.argv[1])
