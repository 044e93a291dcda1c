# SPDX-License-Identifier: ISC
"""The parts of the crash tests, by name: each a function of (tap, scratch folder, is_short). A part has its own house."""

import os

import faults
import imap_parts
import power
import proof
import relay
import scenes
import states
from house import House


def broken(scene, sample):
    """A scene under kills and errnos; the short form takes the sample."""
    def part(tap, folder, is_short):
        house = House(folder)
        house.build()
        try:
            faults.run_scene(tap, scene(house), sample if is_short else (1, 1))
        finally:
            house.kill()
    return part


def needs_root(tap):
    if os.geteuid() != 0:
        tap.ok(False, "power_cuts_need_root", ["mount and the shutdown ioctl are root's: run this as root"])
    return os.geteuid() != 0


def cut(kind, form, chosen, every):
    """Scenes under power cuts; the short form takes every n-th call."""
    def part(tap, folder, is_short):
        if needs_root(tap):
            return
        with power.Powered(folder, kind, form) as powered:
            for scene in chosen:
                power.run_scene(tap, powered, scene(powered.house), every if is_short else 1)
    return part


def load(kind, form):
    """Cuts in the middle of everything, and after a quiet moment."""
    def part(tap, folder, is_short):
        if needs_root(tap):
            return
        with power.Powered(folder, kind, form) as powered:
            power.run_idle(tap, powered)
            power.run_bursts(tap, powered, 4 if is_short else 60)
    return part


def left_behind(tap, folder, is_short):
    house = House(folder)
    house.build()
    try:
        for name, state in STATES.items():
            if not is_short or name not in LONG:
                broken = state(house)
                tap.ok(not broken, name, broken[:20] + house.last_log(20))
    finally:
        house.kill()


def memory(tap, folder, is_short):
    """Not under a sanitizer: that one has the allocator."""
    if "ASAN_OPTIONS" in os.environ:
        tap.note("a sanitizer has the allocator")
        return
    house = House(folder)
    house.build()
    try:
        for scene, program in ((scenes.Queue, "stafet-queue"), (scenes.QueueMany, "stafet-queue"), (scenes.Local, "stafet-local"),
                               (scenes.LocalForward, "stafet-local"), (relay.Send, "stafet-send"), (relay.SendFailing, "stafet-send")):
            faults.run_memory(tap, scene(house), program, 8 if is_short else 1)
    finally:
        house.kill()


STATES = {
    "two_sends_cannot_run": states.two_sends,
    "a_worker_that_survives_its_send_before_the_rename_keeps_the_message": states.surviving_worker,
    "a_worker_that_survives_its_send_before_the_sync_keeps_the_message": lambda house: states.surviving_worker(house, "fsync"),
    "a_start_finds_what_no_trigger_told": states.lost_trigger,
    "a_torn_trigger_makes_it_look": states.torn_trigger,
    "without_any_trigger_it_looks_once_a_minute": states.silent_minute,
    "torn_and_changed_files_are_set_aside": states.damaged_files,
    "a_torn_note_is_cut_off": states.torn_note,
    "ten_years_forward": lambda house: states.clock_jump(house, 0, states.TEN_YEARS),
    "ten_years_back": lambda house: states.clock_jump(house, states.TEN_YEARS, 0),
    "back_before_it_was_sent": lambda house: states.clock_jump(house, 0, -states.TEN_YEARS),
    "beyond_2038_and_2106": lambda house: states.clock_jump(house, 12 * 366 * 86400, 81 * 366 * 86400),
}
LONG = ("without_any_trigger_it_looks_once_a_minute",)

QUEUES = (scenes.Queue, scenes.QueueLarge, scenes.QueueMany)
LOCALS = (scenes.Local, scenes.LocalQuota, scenes.LocalForward, scenes.LocalMbox)
SENDS = (relay.Send, relay.SendMany, relay.SendFailing, relay.SendDeferred, relay.SendRetry)
FORMS = (("ext4", "one"), ("ext4", "two"), ("xfs", "one"), ("xfs", "two"))

PARTS = {"states": left_behind, "proof": proof.prove, "memory": memory}
PARTS.update((scene.name, broken(scene, (3, 7))) for scene in scenes.ALONE)
PARTS.update((scene.name, broken(scene, (8, 25))) for scene in relay.RELAY)
for disk_kind, sync_form in FORMS:
    PARTS[f"power-{disk_kind}-{sync_form}-queue"] = cut(disk_kind, sync_form, QUEUES, 4)
    PARTS[f"power-{disk_kind}-{sync_form}-send"] = cut(disk_kind, sync_form, SENDS, 60)
    PARTS[f"power-{disk_kind}-{sync_form}-load"] = load(disk_kind, sync_form)
for disk_kind in ("ext4", "xfs"):
    PARTS[f"power-{disk_kind}-local"] = cut(disk_kind, "one", LOCALS, 12)
PARTS.update(imap_parts.parts(needs_root))
