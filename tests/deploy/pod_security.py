"""The Pod Security Standard "restricted", control by control, as Kubernetes documents it: each finds faults in a pod's spec."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Spec = Mapping[str, Any]
Control = Callable[[Spec], Iterator[str]]

_CAPABILITIES: Final = {"NET_BIND_SERVICE"}
_VOLUMES: Final = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_SECCOMP: Final = {"RuntimeDefault", "Localhost"}
_APPARMOR: Final = {None, "RuntimeDefault", "Localhost"}
_SELINUX: Final = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_SYSCTLS: Final = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}  # fmt: skip


def _containers(spec: Spec) -> Iterator[Mapping[str, Any]]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(kind) or ()


def _contexts(spec: Spec) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "the pod", spec.get("securityContext") or {}
    for each in _containers(spec):
        yield each["name"], each.get("securityContext") or {}


def _host_process(spec: Spec) -> Iterator[str]:
    yield from (who for who, context in _contexts(spec) if (context.get("windowsOptions") or {}).get("hostProcess"))


def _host_namespaces(spec: Spec) -> Iterator[str]:
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name))


def _privileged(spec: Spec) -> Iterator[str]:
    yield from (who for who, context in _contexts(spec) if context.get("privileged"))


def _capabilities(spec: Spec) -> Iterator[str]:
    for each in _containers(spec):
        said = (each.get("securityContext") or {}).get("capabilities") or {}
        if "ALL" not in (said.get("drop") or ()) or set(said.get("add") or ()) - _CAPABILITIES:
            yield each["name"]


def _volume_types(spec: Spec) -> Iterator[str]:
    for volume in spec.get("volumes") or ():
        yield from (f"{volume['name']}: {kind}" for kind in set(volume) - {"name"} - _VOLUMES)


def _host_ports(spec: Spec) -> Iterator[str]:
    yield from (each["name"] for each in _containers(spec) for port in each.get("ports") or () if port.get("hostPort"))


def _probe_hosts(spec: Spec) -> Iterator[str]:
    for each in _containers(spec):
        hooks = (each.get("lifecycle") or {}).values()
        probes = (each.get(name) or {} for name in ("startupProbe", "livenessProbe", "readinessProbe"))
        for probe in (*probes, *hooks):
            if any((probe.get(way) or {}).get("host") for way in ("httpGet", "tcpSocket")):
                yield each["name"]


def _apparmor(spec: Spec) -> Iterator[str]:
    yield from (
        who for who, said in _contexts(spec) if (said.get("appArmorProfile") or {}).get("type") not in _APPARMOR
    )


def _selinux(spec: Spec) -> Iterator[str]:
    for who, context in _contexts(spec):
        said = context.get("seLinuxOptions") or {}
        if said.get("type") not in _SELINUX or said.get("user") or said.get("role"):
            yield who


def _proc_mount(spec: Spec) -> Iterator[str]:
    yield from (who for who, context in _contexts(spec) if context.get("procMount") not in {None, "Default"})


def _sysctls(spec: Spec) -> Iterator[str]:
    said = (spec.get("securityContext") or {}).get("sysctls") or ()
    yield from (each["name"] for each in said if each["name"] not in _SYSCTLS)


def _escalation(spec: Spec) -> Iterator[str]:
    for each in _containers(spec):
        if (each.get("securityContext") or {}).get("allowPrivilegeEscalation") is not False:
            yield each["name"]


def _inherited(spec: Spec, name: str) -> Iterator[tuple[str, Any]]:
    """Give what holds of each container: its own word, else the pod's."""
    pods = (spec.get("securityContext") or {}).get(name)
    for each in _containers(spec):
        own = (each.get("securityContext") or {}).get(name)
        yield each["name"], pods if own is None else own


def _non_root(spec: Spec) -> Iterator[str]:
    yield from (who for who, said in _inherited(spec, "runAsNonRoot") if said is not True)


def _user(spec: Spec) -> Iterator[str]:
    yield from (who for who, context in _contexts(spec) if context.get("runAsUser") == 0)


def _seccomp(spec: Spec) -> Iterator[str]:
    yield from (who for who, said in _inherited(spec, "seccompProfile") if (said or {}).get("type") not in _SECCOMP)


RESTRICTED: Final[Mapping[str, Control]] = {
    "HostProcess": _host_process,
    "Host Namespaces": _host_namespaces,
    "Privileged Containers": _privileged,
    "Capabilities": _capabilities,
    "Volume Types": _volume_types,  # which leave no room for HostPath
    "Host Ports": _host_ports,
    "Host Probes / Lifecycle Hooks": _probe_hosts,
    "AppArmor": _apparmor,
    "SELinux": _selinux,
    "/proc Mount Type": _proc_mount,
    "Sysctls": _sysctls,
    "Privilege Escalation": _escalation,
    "Running as Non-root": _non_root,
    "Running as Non-root user": _user,
    "Seccomp": _seccomp,
}
