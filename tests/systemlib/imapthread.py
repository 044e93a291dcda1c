# SPDX-License-Identifier: ISC
"""SORT and THREAD as RFC 5256 words them, on letters (imapmail) with a number (the place in the mailbox) and a date of arrival."""


class Item:
    def __init__(self, number, letter, arrival):
        self.number, self.letter, self.arrival = number, letter, arrival
        self.sent = arrival if letter.sent is None else letter.sent


def mailbox_of(item, field):
    people = item.letter.people[field]
    return people[0][1].lower() if people else ""


KEYS = {"ARRIVAL": lambda i: i.arrival, "DATE": lambda i: i.sent, "SIZE": lambda i: i.letter.size, "SUBJECT": lambda i: i.letter.base.lower(),
        "FROM": lambda i: mailbox_of(i, "from"), "TO": lambda i: mailbox_of(i, "to"), "CC": lambda i: mailbox_of(i, "cc")}


def sort_items(items, criteria):
    """criteria: [(word, is_reverse)]. Equal ones stay in the mailbox's order."""
    items = sorted(items, key=lambda i: i.number)
    for word, is_reverse in reversed(criteria):
        # sorted() keeps equal ones in their order, also in reverse
        items = sorted(items, key=KEYS[word], reverse=is_reverse)
    return items


class Node:
    """item None: a message that is only known from references."""

    def __init__(self, item=None):
        self.item, self.parent, self.children = item, None, []

    def key(self):
        """Sent date, then the mailbox's order; a dummy has those of its first child."""
        return (self.item.sent, self.item.number) if self.item else self.children[0].key()

    def hang(self, parent):
        if self.parent:
            self.parent.children.remove(self)
        self.parent = parent
        if parent:
            parent.children.append(self)

    def sort(self):
        for child in self.children:
            child.sort()
        self.children.sort(key=Node.key)

    def is_above(self, other):
        while other and other is not self:
            other = other.parent
        return other is self


def written(roots, number_of):
    def chain(node):
        out = [number_of(node.item)] if node.item else []
        if len(node.children) == 1:
            return out + chain(node.children[0])
        return out + [chain(child) for child in node.children]
    return [chain(root) for root in roots]


def thread_subjects(items, number_of):
    """ORDEREDSUBJECT."""
    threads = {}
    for item in sorted(items, key=lambda i: (i.sent, i.number)):
        threads.setdefault(item.letter.base.lower(), []).append(Node(item))
    for first, *others in threads.values():
        for other in others:
            other.hang(first)
    return written(sorted([nodes[0] for nodes in threads.values()], key=Node.key), number_of)


def link_all(items):
    """Step 1: nodes by id, linked by references; all of them."""
    nodes, by_id = [], {}

    def node_of(word):
        if word not in by_id:
            by_id[word] = Node()
            nodes.append(by_id[word])
        return by_id[word]

    for item in sorted(items, key=lambda i: i.number):
        node = node_of(item.letter.id) if item.letter.id else None
        if node is None or node.item:
            node = Node()
            nodes.append(node)
        node.item, above = item, None
        for word in item.letter.references:
            each = node_of(word)
            if above and not each.parent and not each.is_above(above):
                each.hang(above)
            above = each
        if not above or not node.is_above(above):
            node.hang(above)
    return nodes


def pruned(nodes):
    """Steps 2 and 3: dummies go; their children take their place, at the root only where it is one child."""
    def live(node):
        for child in list(node.children):
            for each in live(child):
                if each.parent is not node:
                    each.hang(node)
        if node.item:
            return [node]
        if not node.parent and len(node.children) > 1:
            return [node]
        children = list(node.children)
        if not node.parent:
            for child in children:
                child.hang(None)
        else:
            above = node.parent
            node.hang(None)
            for child in children:
                child.hang(above)
        return children
    return [each for root in [n for n in nodes if not n.parent] for each in live(root)]


def subject_item(node):
    return node.item or node.children[0].item


def gathered(roots):
    """Steps 4 and 5: threads of one base subject become one."""
    for root in roots:
        root.sort()
    roots.sort(key=Node.key)
    table = {}
    for root in roots:
        letter = subject_item(root).letter
        if not letter.base:
            continue
        other = table.setdefault(letter.base.lower(), root)
        if other.item and (not root.item or (other.item.letter.is_reply and not letter.is_reply)):
            table[letter.base.lower()] = root
    out = list(roots)
    for root in roots:
        letter = subject_item(root).letter
        other = table.get(letter.base.lower(), root) if letter.base else root
        if other is root:
            continue
        if not root.item and not other.item:
            for child in list(root.children):
                child.hang(other)
        elif not other.item or (letter.is_reply and not subject_item(other).letter.is_reply):
            root.hang(other)
        else:
            dummy = Node()
            other.hang(dummy)
            root.hang(dummy)
            out[out.index(other)] = dummy
            table[letter.base.lower()] = dummy
        out.remove(root)
    return out


def thread_references(items, number_of):
    roots = gathered(pruned(link_all(items)))
    for root in roots:
        root.sort()
    return written(sorted(roots, key=Node.key), number_of)
