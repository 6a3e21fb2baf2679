// SPDX-License-Identifier: MIT
// A driver works for the calling thread's current device. The device's functions enter it and leave
// what the thread had, so that other users of the driver in one process (PyTorch, say) notice
// nothing.
#pragma once

#include <migraphx/errors.hpp>

#include "targets/gpu/device/driver_api.hpp"

#include <string>

namespace migraphx::gpu {

struct current_device {
    const driver_api& api;
    const int handle;
    void* const context; ///< CUDA's primary context

    current_device(const driver_api& a, int device, void* c) : api(a), handle(device), context(c) {}

    /// Until the end of its life the device is the thread's current one.
    class scope {
    public:
        explicit scope(const current_device& d) : of(d) {
            if (of.context != nullptr) {
                of.api.context_get(&before);
                other = before != of.context;
            } else {
                of.api.current_get(&number);
                other = number != of.handle;
            }
            if (other)
                of.put(of.context, of.handle); // where that fails, what follows fails and is told
        }
        ~scope() {
            if (other)
                of.put(before, number);
        }
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;

    private:
        const current_device& of;
        void* before = nullptr;
        int number = 0;
        bool other = false;
    };
    [[nodiscard]] scope enter() const { return scope(*this); }

    /// For good.
    void set() const { check(put(context, handle), "the device as the current one"); }

    /// Throws when `result` is no success; `what` was wanted.
    void check(int result, const char* what) const {
        if (result != driver_success)
            failed(result, what);
    }
    void check(int result, const std::string& what) const {
        if (result != driver_success)
            failed(result, what);
    }

private:
    int put(void* c, int device) const {
        return context != nullptr ? api.context_set(c) : api.current_set(device);
    }
    [[noreturn]] void failed(int result, const std::string& what) const {
        const auto help = remedy(api, result);
        fail(error_kind::io, "gpu: " + what + " was expected, got " + error_text(api, result) +
                                 (help.empty() ? "" : "; " + help));
    }
};

} // namespace migraphx::gpu
