# SPDX-License-Identifier: ISC
"""The proof that the checkers of IMAP see: broken recipes (shim.c) under the fault that brings each to light, and damage that no sum
tells of."""

import os
import struct

import imap_damage
import imap_delivery
import imap_scenes
import imap_storm
import power
import proof
from imap_house import DeliveryHouse, ImapHouse
from letters import crc32c

IMAPD = "stafet-imapd"
HEAD, RECORDS, BLOCK = 256, 40, 16384
STORMS = 8


def under_kills(house, scene, recipe):
    return proof.under_kills(house, scene, IMAPD, recipe)


def under_full_disk(house, scene, recipe):
    """Every write, one after the other, is half done and the last one that there is room for; later sessions have room."""
    house.is_always_broken = True
    found = [point for point in proof.faults.list_points(scene) if point[1] == "write"]
    house.extra_env = proof.env_of(IMAPD, recipe)
    complaint = proof.first_complaint(scene, found, lambda s, point: proof.faults.one_point(s, point, "full"))
    house.extra_env, house.is_always_broken = {}, False
    return complaint


def prove_processes(tap, folder):
    house = ImapHouse(folder)
    house.build()
    proof.caught(tap, "a_UID_that_is_told_before_it_stands_in_the_list", ("lost", "changed"),
                 under_kills(house, imap_scenes.Append(house), "early-list"))
    proof.caught(tap, "a_flag_that_is_told_before_the_file_has_it", ("flags",),
                 under_kills(house, imap_scenes.StoreFlag(house), "early-answer"))
    proof.caught(tap, "an_APPEND_whose_failed_sync_is_believed", ("trusted",),
                 proof.under_errors(house, imap_scenes.Append(house), IMAPD, "blind"))
    proof.caught(tap, "half_a_line_that_stays", ("flags", "lost", "changed"),
                 under_full_disk(house, imap_scenes.StoreOurs(house), "no-cut"))


def prove_delivery(tap, folder):
    house = imap_delivery.House(folder)
    house.build()
    house.is_always_broken = True
    proof.caught(tap, "a_delivery_that_is_acknowledged_before_a_session_can_find_it", ("lost",),
                 proof.under_kills(house, imap_delivery.Beside(house), "stafet-local", "early-answer"))


def under_storms(house, recipe):
    house.extra_env = proof.env_of(IMAPD, recipe)
    return "; ".join(imap_storm.run_rounds(house, STORMS, 1, {}))


def prove_storm(tap, folder):
    house = DeliveryHouse(folder)
    house.begin()
    proof.caught(tap, "sessions_that_do_not_wait_for_each_other_s_lock", ("lost", "changed", "reused", "flags", "differs", "died"),
                 under_storms(house, "no-lock"))
    proof.caught(tap, "a_UID_or_keyword_that_is_told_before_others_can_know_of_it", ("lost", "changed", "reused", "flags"),
                 under_storms(house, "early-list"))


def prove_power(tap, folder):
    with power.Powered(folder, "ext4", None, ImapHouse) as powered:
        house = powered.house
        proof.caught(tap, "an_APPEND_without_any_sync", ("lost", "torn"), proof.under_cuts(powered, imap_scenes.Append(house), IMAPD, "no-sync"))
        proof.caught(tap, "a_UID_list_without_its_sync", ("changed", "reused", "fell"),
                     proof.under_cuts(powered, imap_scenes.AppendMany(house), IMAPD, "no-list-sync"))
        proof.caught(tap, "a_new_UID_list_without_its_sync", ("changed", "reused", "fell", "lost"),
                     proof.under_cuts(powered, imap_scenes.FirstList(house), IMAPD, "no-sync"))
        proof.caught(tap, "a_subscription_without_the_folder_s_sync", ("lost",),
                     proof.under_cuts(powered, imap_scenes.Subscribe(house), IMAPD, "no-folder-sync"))
    with power.Powered(folder, "ext4", None, DeliveryHouse) as powered:
        powered.house.extra_env = proof.env_of(IMAPD, "no-list-sync")
        broken = imap_storm.run_rounds(powered.house, STORMS, 1, {}, lambda seed: imap_storm.PowerStorm(powered, seed))
        proof.caught(tap, "a_UID_list_without_its_sync_in_a_storm", ("changed", "reused", "fell", "lost"), "; ".join(broken))


# Damage with sums that are right: what a reader without sums would see.

def mend(data, at, end, sum_at):
    struct.pack_into("<I", data, sum_at, crc32c(bytes(data[at:end])))


def other_flags(data):
    """A flag of a record of the base."""
    sums, = struct.unpack_from("<Q", data, 144)
    data[HEAD + 20 * RECORDS + 4] ^= 2
    mend(data, HEAD, min(HEAD + BLOCK, sums), sums)


def other_entry(data):
    """A flag of an entry of the journal, the first that changes flags."""
    at, = struct.unpack_from("<Q", data, 184)
    while struct.unpack_from("<I", data, at + 16)[0] != 2:
        at += struct.unpack_from("<I", data, at)[0]
    data[at + 24 + 4] ^= 2
    mend(data, at + 8, at + struct.unpack_from("<I", data, at)[0], at + 4)


def other_envelope(data):
    """A letter of a subject in the first blob of the cache."""
    size, = struct.unpack_from("<I", data, 16)
    data[data.index(b"fault", 32, 32 + size)] ^= 1
    mend(data, 32, 32 + size, 16 + 8)


def changed(change):
    def harm(path):
        with open(path, "r+b") as f:
            data = bytearray(f.read())
            change(data)
            f.seek(0)
            f.write(data)
        return change.__name__
    return harm


def prove_damage(tap, folder):
    damaged = imap_damage.Damaged(folder)
    for name, change in (("stafet.index", other_flags), ("stafet.index", other_entry), ("stafet.cache", other_envelope)):
        found = damaged.trial("plain", name, changed(change))
        proof.caught(tap, f"{change.__name__}_with_a_right_sum", ("wrong",), found[0] if found else "")


def prove(tap, folder, _):
    for part in (prove_processes, prove_damage, prove_delivery, prove_storm):
        inner = os.path.join(folder, part.__name__)
        os.mkdir(inner)
        part(tap, inner)
    if os.geteuid() == 0:
        prove_power(tap, folder)
    else:
        tap.ok(False, "power_cuts_need_root", ["mount and the shutdown ioctl are root's: run this as root"])
