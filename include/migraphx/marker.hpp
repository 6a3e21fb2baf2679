// SPDX-License-Identifier: MIT
// Notified of the start and stop of each instruction and of the whole run (external profilers).
#ifndef MIGRAPHX_MARKER_HPP
#define MIGRAPHX_MARKER_HPP

#include <memory>
#include <migraphx/instruction_ref.hpp>
#include <utility>

namespace migraphx {

struct program;

/// Type-erased; a user's type has mark_start/mark_stop for instruction_ref and const program&.
struct marker {
    marker() = default;
    template <class T>
    marker(T x) : m_self(std::make_shared<holder<T>>(std::move(x))) {}
    void mark_start(instruction_ref ins) { m_self->start(ins); }
    void mark_stop(instruction_ref ins) { m_self->stop(ins); }
    void mark_start(const program& p) { m_self->start(p); }
    void mark_stop(const program& p) { m_self->stop(p); }

private:
    struct base {
        virtual ~base() = default;
        virtual void start(instruction_ref) = 0;
        virtual void stop(instruction_ref) = 0;
        virtual void start(const program&) = 0;
        virtual void stop(const program&) = 0;
    };
    template <class T>
    struct holder : base {
        explicit holder(T x) : object(std::move(x)) {}
        void start(instruction_ref i) override { object.mark_start(i); }
        void stop(instruction_ref i) override { object.mark_stop(i); }
        void start(const program& p) override { object.mark_start(p); }
        void stop(const program& p) override { object.mark_stop(p); }
        T object;
    };
    std::shared_ptr<base> m_self;
};

} // namespace migraphx
#endif
