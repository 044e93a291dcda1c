# SPDX-License-Identifier: ISC
"""The parts of the crash tests that are IMAP's; what they share is one house each."""

import faults
import imap_damage
import imap_proof
import imap_scenes
import power
from imap_house import ImapHouse

KILLS, ERRORS, CUTS = 60, 200, 90  # the short form takes every n-th
DAMAGES = (25, 400)                # short, whole


def broken(scenes):
    def part(tap, folder, is_short):
        house = ImapHouse(folder)
        house.build()
        for scene in scenes:
            faults.run_scene(tap, scene(house), (KILLS, ERRORS) if is_short else (1, 1))
    return part


def cut(scenes, needs_root):
    def part(tap, folder, is_short):
        if needs_root(tap):
            return
        with power.Powered(folder, "ext4", None, ImapHouse) as powered:
            for scene in scenes:
                power.run_scene(tap, powered, scene(powered.house), CUTS if is_short else 1)
    return part


def damage(tap, folder, is_short):
    imap_damage.run(tap, folder, DAMAGES[0 if is_short else 1])


def parts(needs_root):
    return {"imap-mail": broken(imap_scenes.MAIL), "imap-folders": broken(imap_scenes.FOLDERS), "imap-damage": damage,
            "imap-proof": imap_proof.prove, "power-imap-mail": cut(imap_scenes.MAIL, needs_root),
            "power-imap-folders": cut(imap_scenes.FOLDERS, needs_root)}
