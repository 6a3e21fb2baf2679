// SPDX-License-Identifier: MIT
// One device as the gpu target sees it: memory, streams, events, graphs, code. CUDA and HIP
// implement it over their driver libraries, opened at run time; the host implements it so that the
// whole pipeline, generated code included, runs on machines without a GPU (target `null`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migraphx::gpu {

/// Bytes at which buffers of a device begin.
constexpr std::size_t device_alignment = 256;

enum class platform : uint8_t { cuda, hip, host };

struct extent3 {
    uint32_t x = 1, y = 1, z = 1;
};

struct device_properties {
    platform kind = platform::host;
    int id = 0;
    std::string name;         ///< as the driver calls it
    std::string architecture; ///< what code is compiled for: "sm_90", "gfx942", "host"
    int capability = 0;       ///< CUDA: 10 * major + minor
    int multiprocessors = 1;
    int warp_size = 32;
    std::size_t memory = 0;         ///< bytes
    std::size_t l2 = 0;             ///< bytes
    std::size_t shared = 48 * 1024; ///< bytes of shared memory that one block may ask for
    int driver = 0;                 ///< version, as the driver counts
};

/// A stream of the device: work put on it runs in order. Null is none.
using stream = void*;

/// between_devices: another device's memory takes part; waits for all work of that device first.
enum class copy_kind : uint8_t { to_device, to_host, on_device, between_devices };

/// Loaded code; functions live as long as it.
struct code_module {
    virtual ~code_module() = default;
    /// Throws when the code has no such entry.
    virtual void* function(const std::string& entry) = 0;
};

/// A recorded sequence of work, launched as one.
struct recorded_graph {
    virtual ~recorded_graph() = default;
    virtual void launch(stream s) = 0;
};

struct event {
    virtual ~event() = default;
    virtual void record(stream s) = 0;
    virtual void wait_for(stream s) = 0; ///< work put on `s` later waits for the recorded work
    /// While `s` is recorded: each launch of the graph takes the time, for `since`; nothing can
    /// wait for it. False when the driver has no such thing.
    virtual bool record_in_graph(stream) { return false; }
    virtual void synchronize() = 0;
    /// Milliseconds from `start` to this; both recorded on streams and done.
    virtual float since(const event& start) const = 0;
};

/// Thread-safe. Every function that fails throws with the driver's text and what was asked;
/// running out of memory is an `error_kind::out_of_memory`-style error after which all goes on.
struct device {
    virtual ~device() = default;
    virtual const device_properties& properties() const = 0;

    /// Aligned to 256 bytes; freed with its last owner, once work already queued is done with it.
    virtual std::shared_ptr<char> allocate(std::size_t bytes) = 0;
    /// Host memory that copies reach without a detour.
    virtual std::shared_ptr<char> allocate_pinned(std::size_t bytes) = 0;
    /// The number of the device whose memory `p` points to; none for the host's.
    virtual std::optional<int> device_of(const void* p) const = 0;
    /// Whether it is this device's.
    bool owns(const void* p) const { return device_of(p) == properties().id; }
    virtual std::size_t free_memory() const = 0;
    /// What the device keeps for later allocations goes back to the driver.
    virtual void trim() {}

    /// Put on `s`; host memory that is not pinned makes the call wait.
    virtual void copy(void* to, const void* from, std::size_t bytes, copy_kind kind, stream s) = 0;
    virtual void fill(void* to, int byte, std::size_t bytes, stream s) = 0;

    virtual std::shared_ptr<void> make_stream() = 0; ///< get() is the `stream`
    virtual void synchronize(stream s) = 0;
    virtual std::unique_ptr<event> make_event() = 0;

    /// What this thread puts on `s` in between is recorded instead of run.
    virtual void begin_recording(stream s) = 0;
    virtual std::unique_ptr<recorded_graph> end_recording(stream s) = 0;

    /// `image`: what `compiler` made for this device.
    virtual std::shared_ptr<code_module> load(const std::string& image) = 0;
    /// `args`: pointers to the arguments, in order.
    virtual void launch(void* function, extent3 grid, extent3 block, std::size_t shared, stream s,
                        void** args) = 0;
    /// The device becomes the calling thread's current one, for libraries that use that.
    virtual void make_current() = 0;
};

/// The device `id` of this machine, opened once. Throws with what is missing (driver, device) and
/// what would help.
std::shared_ptr<device> open_device(std::size_t id);
/// Devices of this machine; 0 when there is no driver.
std::size_t device_count();
/// Why there is none, as a sentence that says what would help; empty when there is one.
std::string missing_device();
/// The host, playing a device.
std::shared_ptr<device> host_device();

} // namespace migraphx::gpu
