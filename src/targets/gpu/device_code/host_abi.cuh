// SPDX-License-Identifier: MIT
// What the host, playing a device (device/host.cpp), and the code it runs know of each other. Read
// by both sides, so plain C++ without any header.
#pragma once

namespace mgx {

struct host_index {
    unsigned x, y, z;
};

constexpr unsigned host_warp_size = 32;
constexpr unsigned host_slot_bytes = 32; // what a lane can show the others of its warp at a time

// The thread that runs now, on one thread of the system. `rank`: x fastest.
struct host_thread {
    host_index thread_index, block_index, block_size, grid_size;
    unsigned rank;
    unsigned char* shared; // the block's dynamic shared memory
    // Where the warp's lanes write what they show in their next exchange: host_slot_bytes for each.
    unsigned char* (*slots)(host_thread*);
    // Returns when all threads of the warp that still run are here; which those were, as bits.
    unsigned (*warp_barrier)(host_thread*);
    void (*block_barrier)(host_thread*);
};

// Runs one thread of a kernel; `arguments`: their addresses, in order.
using host_entry = void (*)(host_thread*, void** arguments);
// The sizes of the arguments, ended by 0.
using host_sizes = const unsigned* (*)();

} // namespace mgx
