# SPDX-License-Identifier: ISC
"""One scene, broken at every system call: kill -9 and chosen errnos."""

import os
import tempfile

import points
from house import read

ALLOCATIONS_MOST = 400


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
    errnos = [(point, fault) for point, fault in every if fault != "kill" and (point[1], fault) not in scene.lies]
    bad = []
    for point, fault in kills[::sample[0]] + errnos[::sample[1]]:
        bad += one_point(scene, point, fault)
    tap.ok(len(found) > 10, f"{scene.name}_makes_{len(found)}_calls_of_{len({call for _, call, _ in found})}_kinds")
    tap.ok(not bad, f"{scene.name}_survives_{len(kills[::sample[0]])}_kills_and_{len(errnos[::sample[1]])}_errors", bad[:60])


def has_begun(program, log):
    """glibc's own getgrnam(3) dies of a signal when its first allocations fail: send asks it at its start, before it has a message."""
    return program != "stafet-send" or b"status: " in log


def run_memory(tap, scene, program, every=1):
    """Each of the first allocations (all of queue and send) fails once: not now, never a refusal, a loss or a broken heap."""
    house, bad, number, is_reached = scene.house, [], 0, True
    while is_reached and number < ALLOCATIONS_MOST:
        number += every
        house.kill()
        house.forget()
        scene.prepare()
        house.extra_env = {program: {"LD_PRELOAD": points.MEMORY, "FAIL_MALLOC": str(number)}}
        scene.run(())
        house.extra_env = {}
        house.kill("local")
        log = read(house.log_path)
        is_reached = b"allocation-failed" in log
        scene.recover()
        broken = scene.check((0, "malloc", number), "kill")
        if has_begun(program, log) and (b"signal=" in log or (scene.status or 0) < 0):
            broken.append("died of a signal")
        if broken:
            bad += [f"{scene.name}: allocation {number}: " + "; ".join(broken), *house.last_log()]
    house.kill()
    tap.ok(number > 2 and not bad, f"{scene.name}_survives_{number // every}_failing_allocations", bad[:40])
