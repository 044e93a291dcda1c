# SPDX-License-Identifier: ISC
"""One scene, broken at every system call: kill -9 and chosen errnos."""

import os
import tempfile

import points


def list_points(scene, processes=(0,)):
    """The calls of one whole run."""
    with tempfile.TemporaryDirectory(prefix="stafet-trace.") as folder:
        log = os.path.join(folder, "log")
        scene.prepare()
        letter = scene.run(points.trace_wrapper(log))
        if letter != "K":
            raise RuntimeError(f"{scene.name} answers {letter!r} under the breaker without a fault: {scene.house.last_log()}")
        return points.read_points(log, scene.begins, processes)


def one_point(scene, point, fault):
    """What is wrong after that fault."""
    scene.house.forget()
    scene.prepare()
    scene.run(points.break_wrapper(point, fault))
    scene.recover()
    broken = scene.check(fault)
    if scene.spare(point, fault):
        broken = [line for line in broken if not line.startswith("left:")]
    if broken:
        return [f"{scene.name}: {points.show(point, fault)}: " + "; ".join(broken), *scene.house.last_log()]
    return []


def run_scene(tap, scene, kinds="all", every=1, processes=(0,)):
    """Every `every`-th fault; kills are never left out of the scenes of one program."""
    found = list_points(scene, processes)
    scene.house.forget()
    chosen = points.with_faults(found, kinds)[::every]
    bad = []
    for point, fault in chosen:
        bad += one_point(scene, point, fault)
    calls = {call for _, call, _ in found}
    tap.ok(len(found) > 10, f"{scene.name}_makes_{len(found)}_calls_of_{len(calls)}_kinds")
    tap.ok(not bad, f"{scene.name}_survives_{len(chosen)}_faults", bad[:60])
