# SPDX-License-Identifier: GPL-2.0
"""
Lists the instances, objects and waits of ntsync, of the running kernel or of the dump of
one that has crashed.

usage: drgn -s VMLINUX -s ntsync.ko ntsync.py, as root
       drgn -c VMCORE -s VMLINUX -s ntsync.ko ntsync.py

VMLINUX has the kernel's debug information; ntsync.ko is the module that is or was loaded,
with its own.  It knows this project's driver, not the one that newer kernels have.
"""

from drgn import cast
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.pid import for_each_task

TYPES = {"NTSYNC_SEM": "semaphore", "NTSYNC_MUTEX": "mutex", "NTSYNC_EVENT": "event"}
HELD = 1  # NTSYNC_SEQ_HELD
PENDING, CANCELED = -1, -2  # NTSYNC_PENDING, NTSYNC_CANCELED


def files_of(task):
    """
    Open files by descriptor.  The kernel and the module both have debug information of these
    types, from different folders, and drgn does not see that they are the same.
    """
    table = cast("struct fdtable *", cast("struct files_struct *", task.files).fdt)
    for fd in range(table.max_fds):
        file = cast("struct file *", table.fd[fd])
        if file:
            yield fd, file


def find_files():
    """What descriptors lead to: objects and instances by address, and who has objects."""
    objects, instances, holders = {}, {}, {}
    seen = set()
    for task in for_each_task(prog):
        files = task.files.value_()
        if not files or files in seen:
            continue
        seen.add(files)
        for fd, file in files_of(task):
            if file.f_op == prog["ntsync_obj_fops"].address_of_():
                obj = cast("struct ntsync_obj *", file.private_data)
                objects[obj.value_()] = obj
                holder = (task.tgid.value_(), name_of(task), fd)
                holders.setdefault(obj.value_(), []).append(holder)
                instances[obj.instance.value_()] = obj.instance
            elif file.f_op == prog["ntsync_dev_fops"].address_of_():
                instance = cast("struct ntsync_instance *", file.private_data)
                instances[instance.value_()] = instance
    return objects, instances, holders


def find_waits(objects, instances):
    """Waits by address: those for any are in queues of objects, those for all in instances."""
    waits = {}
    for obj in objects:
        for entry in list_for_each_entry("struct ntsync_entry", obj.queue.address_of_(), "node"):
            # The pollers have an entry and no wait.
            if entry.wait and entry.wait.set:
                waits[entry.wait.value_()] = entry.wait
    for instance in instances:
        for wait in list_for_each_entry(
            "struct ntsync_wait", instance.all_waits.address_of_(), "in_instance"
        ):
            # Who reads fdinfo marks its place by one without a set.
            if wait.set:
                waits[wait.value_()] = wait
    return waits.values()


def name_of(task):
    return task.comm.string_().decode(errors="replace")


def type_of(obj):
    for name, text in TYPES.items():
        if obj.type == prog.constant(name):
            return text
    return "unknown"


def state_of(obj):
    kind = type_of(obj)
    if kind == "semaphore":
        state = f"{obj.sem.count.value_()} of {obj.sem.max.value_()}"
    elif kind == "mutex":
        count = obj.mutex.count.value_()
        state = f"owned by {obj.mutex.owner.value_()}, {count} times" if count else "free"
        state += ", abandoned" if obj.abandoned else ""
    else:
        state = "set" if obj.event.signaled else "not set"
        state += ", manual" if obj.event.manual else ", auto"
    return state + (", HELD" if obj.seq & HELD else "")


def seconds_of(wait):
    passed = prog["jiffies_64"].value_() - wait.start.value_()
    return passed * prog["tick_nsec"].value_() / 1e9


def result_of(wait):
    result = wait.result.counter.value_()
    if result == PENDING:
        return "waits"
    return "gives up" if result == CANCELED else f"granted, index {result}"


def object_names(wait):
    waited = wait.set
    names = [f"{waited.objs[i].id.value_()}" for i in range(waited.total)]
    if waited.total > waited.count:
        names[-1] = f"alert {names[-1]}"
    return " ".join(names)


def main():
    objects, instances, holders = find_files()
    by_number = sorted(objects.values(), key=lambda o: (o.instance.id.value_(), o.id.value_()))

    print("INSTANCE ADDRESS            MADE")
    for instance in sorted(instances.values(), key=lambda i: i.id.value_()):
        made = instance.last_id.counter.value_()
        print(f"{instance.id.value_():8} 0x{instance.value_():x} {made}")

    print("\nINSTANCE OBJECT TYPE      ADDRESS            STATE, AND WHO HAS IT")
    for obj in by_number:
        numbers = f"{obj.instance.id.value_():8} {obj.id.value_():6}"
        having = ", ".join(f"{name} {pid} fd {fd}" for pid, name, fd in holders[obj.value_()])
        print(f"{numbers} {type_of(obj):9} 0x{obj.value_():x} {state_of(obj)}; {having}")

    print("\n  TID COMMAND         AS KIND SECONDS RESULT   OBJECTS")
    for wait in find_waits(by_number, instances.values()):
        task = wait.task
        thread = f"{task.pid.value_():5} {name_of(task):15}"
        kind = f"{wait.set.owner.value_():2} {'all' if wait.all else 'any':4}"
        result = f"{seconds_of(wait):7.3f} {result_of(wait):8}"
        print(f"{thread} {kind} {result} {object_names(wait)}")


main()
