# SPDX-License-Identifier: MIT
"""A container as the rendered pod describes it, made of one process, its own mounts and no container engine.

User, groups, capabilities, read-only root and mounts come from the manifest: what it forgets is missing here too.
The root is empty but for the machine's programs and libraries. Network and processes are the machine's own.
"""
import os
import pathlib
import subprocess

from program import Program

# $1 root, $2 "ro" or "rw", $3 program; then "SOURCE TARGET ro|rw" for each mount, "--" and the command. What is
# under /usr/local is the container's: images have their files there.
ENTER = """
root=$1 access=$2 program=$3; shift 3
bind() {
	if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root${2%/*}"; : >"$root$2"; fi
	mount --bind "$1" "$root$2"
	mount -o "remount,bind,$3" "$root$2"
}
mount -t tmpfs -o mode=755 tmpfs "$root"
for top in /usr /bin /sbin /lib /lib64; do
	if [ -L $top ]; then cp -a $top "$root"; elif [ -d $top ]; then bind $top $top ro; fi
done
mount -t tmpfs -o mode=755 tmpfs "$root/usr/local"
for kernel in /proc /dev/null /dev/urandom; do bind $kernel $kernel ro; done
bind "$program" "/usr/local/bin/${program##*/}" ro
while [ "$1" != -- ]; do bind "$1" "$2" "$3"; shift 3; done
shift
mount -o "remount,bind,$access" "$root/usr/local"
mount -o "remount,bind,$access" "$root"
exec chroot "$root" "$@"
"""


def why_not():
    """Why containers cannot be made here; None where they can."""
    if os.geteuid() != 0:
        return "needs root, for mounts and for processes of other users"
    done = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                          capture_output=True, text=True, check=False)
    return f"root may not mount here: {done.stderr.strip()}" if done.returncode else None


def owned(path, group, mode):
    os.chown(path, 0, group)
    path.chmod(mode)


class Volumes:
    """The folders of a pod's volumes, with the owners that the kubelet gives them for the pod's fsGroup."""

    def __init__(self, folder, pod, files):
        """files: volume to its files, name to text. A volume without files is an emptyDir."""
        self.folders = {}
        group = pod["securityContext"]["fsGroup"]
        for volume in pod["volumes"]:
            name = volume["name"]
            self.folders[name] = place = pathlib.Path(folder) / name
            place.mkdir()
            for file, text in files.get(name, {}).items():
                (place / file).write_text(text, encoding="utf-8")
                owned(place / file, group, volume.get("projected", {}).get("defaultMode", 0o644))
            # The kubelet leaves an emptyDir open to all others as well. Here the group alone must do.
            owned(place, group, 0o755 if name in files else 0o2770)

    def mounts(self, container):
        """Source, target and access of each mount of a container."""
        for mount in container["volumeMounts"]:
            source = self.folders[mount["name"]] / mount.get("subPath", "")
            yield from (str(source), mount["mountPath"], "ro" if mount.get("readOnly") else "rw")


class Container(Program):
    """A running container: the program, with the container's arguments after the given ones."""

    def __init__(self, folder, pod, container, volumes, program, *options, env=None):
        context = {**pod["securityContext"], **container["securityContext"]}
        root = pathlib.Path(folder) / f"root-{container['name']}"
        root.mkdir()
        rights = [f"--reuid={context['runAsUser']}", f"--regid={context['runAsGroup']}",
                  f"--groups={context['fsGroup']}"]
        if context.get("allowPrivilegeEscalation") is False:
            rights += ["--no-new-privs"]
        if context.get("capabilities", {}).get("drop") == ["ALL"]:
            rights += ["--inh-caps=-all", "--bounding-set=-all"]
        super().__init__([
            "unshare", "--mount", "sh", "-euc", ENTER, "sh", str(root),
            "ro" if context.get("readOnlyRootFilesystem") else "rw", str(program), *volumes.mounts(container), "--",
            "setpriv", *rights, f"/usr/local/bin/{pathlib.Path(program).name}", *options, *container["args"]], env)

    def writable(self):
        """The mount points where the process could write, if their owners let it."""
        lines = pathlib.Path(f"/proc/{self.pid}/mountinfo").read_text(encoding="utf-8").splitlines()
        return {line.split()[4] for line in lines if "rw" in line.split()[5].split(",")}

    def rights(self):
        """User, group, further groups, bounding set, effective set and no-new-privs, as the kernel has them."""
        lines = pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines()
        status = dict(line.split(":", 1) for line in lines)
        users, groups = ({int(word) for word in status[name].split()} for name in ("Uid", "Gid"))
        return users, groups, {int(word) for word in status["Groups"].split()}, *(
            int(status[name], 16) for name in ("CapBnd", "CapEff", "NoNewPrivs"))
