# SPDX-License-Identifier: ISC
"""The proof that the checker sees: deliberately broken recipes (shim.c), each under the fault that brings it to light. A test here is
good when the checker complains, and with the words that fit; without the recipe the same fault is survived (the other parts)."""

import os

import faults
import power
import relay
import scenes
import states
from house import House

FAULTS_MOST = 400


def env_of(program, recipe):
    return {program: states.broken_env(recipe)}


def first_complaint(scene, chosen, try_one):
    """What the checker says to the first of these points that it does not let pass."""
    for point in chosen[:FAULTS_MOST]:
        broken = try_one(scene, point)
        if broken:
            return broken[0]
    return ""


def caught(tap, name, words, complaint):
    tap.ok(any(word in complaint for word in words), f"the_checker_catches_{name}", [complaint or "it did not complain"])
    if complaint:
        tap.note(complaint[:300])


def under_kills(house, scene, program, recipe):
    """A recipe that a kill alone brings to light."""
    found = faults.list_points(scene)
    house.extra_env = env_of(program, recipe)
    complaint = first_complaint(scene, found, lambda s, point: faults.one_point(s, point, "kill"))
    house.extra_env = {}
    house.kill()
    return complaint


def under_errors(house, scene, program, recipe):
    found = [point for point in faults.list_points(scene) if point[1] == "fsync"]
    house.extra_env = env_of(program, recipe)
    complaint = first_complaint(scene, found, lambda s, point: faults.one_point(s, point, "EIO"))
    house.extra_env = {}
    return complaint


def under_cuts(powered, scene, program, recipe):
    found = faults.list_points(scene)
    end = [(0, "exit_group", 1)]
    powered.house.extra_env = env_of(program, recipe)
    complaint = first_complaint(scene, end + found[::-1], lambda s, point: cut_both_ways(powered, s, point))
    powered.house.extra_env = {}
    powered.house.kill()
    return complaint


def cut_both_ways(powered, scene, point):
    return power.one_cut(powered, scene, point, power.WAYS[0]) or power.one_cut(powered, scene, point, power.WAYS[1])


def when_idle(powered, recipe):
    powered.house.extra_env = env_of("stafet-queue", recipe)
    broken = power.idle(powered)
    powered.house.extra_env = {}
    powered.house.kill()
    return "; ".join(broken)


def prove_processes(tap, folder):
    """Recipes that need no power cut."""
    house = House(folder)
    house.build()
    try:
        caught(tap, "an_answer_before_the_file_is_published", ("lost",),
               under_kills(house, scenes.Queue(house), "stafet-queue", "early-answer"))
        caught(tap, "an_unlink_before_the_answer", ("lost",), under_kills(house, LocalDies(house), "stafet-send", "early-unlink"))
        caught(tap, "a_failed_sync_that_is_believed", ("trusted",), under_errors(house, scenes.Queue(house), "stafet-queue", "blind"))
        caught(tap, "a_failed_sync_in_a_Maildir_that_is_believed", ("trusted",),
               under_errors(house, scenes.Local(house), "stafet-local", "blind"))
        caught(tap, "two_sends", ("doubled",), "; ".join(states.two_sends(house, states.broken_env("no-lock"))))
        caught(tap, "a_second_worker_beside_a_surviving_one", ("doubled",),
               "; ".join(states.surviving_worker(house, env=states.broken_env("no-lock"))))
        caught(tap, "a_torn_note_that_stays", ("damage",), "; ".join(states.torn_note(house, states.broken_env("no-cut"))))
    finally:
        house.kill()


class LocalDies(relay.Send):
    """Send hands the message over, and the worker is killed."""
    name, begins, processes = "local-dies", ("accept4", 0), (1,)

    def run(self, wrapper):
        house = self.house
        house.kill("local")
        house.start("local", wrapper=wrapper)
        letter = super().run(())
        house.kill("local")
        return letter


def prove_power(tap, folder):
    with power.Powered(folder, "ext4", "one") as powered:
        caught(tap, "an_answer_without_any_sync", ("lost", "torn"), when_idle(powered, "no-sync"))
        powered.house.control("spoolsync", "two")
        caught(tap, "an_answer_without_the_folder_s_sync", ("lost",), when_idle(powered, "no-folder-sync"))
        powered.house.control("spoolsync", "one")
        local = scenes.Local(powered.house)
        caught(tap, "a_Maildir_file_that_is_renamed_before_it_is_synced", ("torn",), under_cuts(powered, local, "stafet-local", "late-sync"))
        caught(tap, "a_Maildir_file_without_any_sync", ("lost", "torn"), under_cuts(powered, local, "stafet-local", "no-sync"))


def prove(tap, folder, _):
    prove_processes(tap, folder)
    if os.geteuid() == 0:
        prove_power(tap, folder)
    else:
        tap.ok(False, "power_cuts_need_root", ["mount and the shutdown ioctl are root's: run this as root"])
