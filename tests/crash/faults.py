# SPDX-License-Identifier: ISC
"""One scene, broken at every system call: kill -9 and chosen errnos."""

import os
import tempfile

import points


def list_points(scene):
    """The calls of one whole run."""
    with tempfile.TemporaryDirectory(prefix="stafet-trace.") as folder:
        log = os.path.join(folder, "log")
        scene.prepare()
        letter = scene.run(points.trace_wrapper(log))
        if letter != "K":
            raise RuntimeError(f"{scene.name} answers {letter!r} under the breaker without a fault: {scene.house.last_log()}")
        return points.read_points(log, scene.begins, scene.processes)


def one_point(scene, point, fault):
    """What is wrong after that fault."""
    scene.house.forget()
    scene.prepare()
    scene.run(points.break_wrapper(point, fault))
    scene.recover()
    broken = scene.check(point, fault)
    if scene.spare(point, fault):
        broken = [line for line in broken if not line.startswith("left:")]
    if broken:
        return [f"{scene.name}: {points.show(point, fault)}: " + "; ".join(broken), *scene.house.last_log()]
    return []


def run_scene(tap, scene, sample=(1, 1)):
    """sample: every n-th kill, every n-th errno."""
    found = list_points(scene)
    scene.house.forget()
    every = points.with_faults(found)
    kills = [(point, fault) for point, fault in every if fault == "kill"]
    errnos = [(point, fault) for point, fault in every if fault != "kill"]
    bad = []
    for point, fault in kills[::sample[0]] + errnos[::sample[1]]:
        bad += one_point(scene, point, fault)
    tap.ok(len(found) > 10, f"{scene.name}_makes_{len(found)}_calls_of_{len({call for _, call, _ in found})}_kinds")
    tap.ok(not bad, f"{scene.name}_survives_{len(kills[::sample[0]])}_kills_and_{len(errnos[::sample[1]])}_errors", bad[:60])
