// SPDX-License-Identifier: MIT
// The instructions that are not operators: parameters, literals, returns, comments.
#ifndef MIGRAPHX_BUILTIN_HPP
#define MIGRAPHX_BUILTIN_HPP

#include <iosfwd>
#include <migraphx/argument.hpp>
#include <migraphx/context.hpp>
#include <migraphx/reflect.hpp>
#include <migraphx/shape.hpp>
#include <string>
#include <vector>

namespace migraphx {
namespace builtin {

struct literal {
    std::string name() const { return "@literal"; }
    shape compute_shape(const std::vector<shape>&) const;
};

struct outline {
    shape s;
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.s, "shape"));
    }
    std::string name() const { return "@outline"; }
    shape compute_shape(const std::vector<shape>&) const { return s; }
    argument compute(const shape&, const std::vector<argument>&) const;
};

struct param {
    std::string parameter;
    uint32_t order = 0;
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.parameter, "parameter"));
    }
    std::string name() const { return "@param"; }
    shape compute_shape(const std::vector<shape>&) const;
};

struct returns {
    std::string name() const { return "@return"; }
    shape compute_shape(const std::vector<shape>& in) const;
};

struct comment {
    std::string text;
    template <class Self, class F>
    static auto reflect(Self& self, F f) {
        return pack(f(self.text, "text"));
    }
    std::string name() const { return "@comment"; }
    shape compute_shape(const std::vector<shape>&) const { return {}; }
    argument compute(context&, const shape& output_shape, const std::vector<argument>&) const;
};

std::ostream& operator<<(std::ostream& os, const comment& op);

} // namespace builtin
} // namespace migraphx
#endif
