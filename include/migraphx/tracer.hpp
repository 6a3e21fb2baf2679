// SPDX-License-Identifier: MIT
// tracer: prints its arguments as a line to a stream, and nothing when it has none.
#ifndef MIGRAPHX_GUARD_TRACER_HPP
#define MIGRAPHX_GUARD_TRACER_HPP

#include <functional>
#include <ostream>

namespace migraphx {

struct tracer {
    tracer() = default;
    // The stream must outlive the tracer.
    tracer(std::ostream& s) : os(&s) {}

    bool enabled() const { return os != nullptr; }

    template <class... Ts>
    void operator()(const Ts&... xs) const {
        if (os != nullptr)
            (*os << ... << xs) << std::endl;
    }

    template <class... Ts>
    void operator()(std::ostream& s, const Ts&... xs) const {
        (s << ... << xs) << std::endl;
    }

private:
    std::ostream* os = nullptr;
};

} // namespace migraphx
#endif
