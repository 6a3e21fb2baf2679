// SPDX-License-Identifier: MIT
// outline and undefined: instructions that stand for a shape, or for nothing, without data.
#include "ops/expect.hpp"
#include "ops/op.hpp"

namespace migraphx {

namespace {

struct outline_op {
    shape described;

    static constexpr auto name = "outline";
    static constexpr auto summary = "A shape without data";
    static void fields(field_list<outline_op>& f) {
        f.add("shape", &outline_op::described, "the shape");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(0);
        return described;
    }
    argument evaluate(const shape&, const std::vector<argument>&) const {
        return argument{described, nullptr};
    }
};

struct undefined_op {
    static constexpr auto name = "undefined";
    static constexpr auto summary = "An optional input that is not there";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(0);
        return {};
    }
    argument evaluate(const shape&, const std::vector<argument>&) const {
        return argument{shape{}, nullptr};
    }
};

const registered_op<outline_op> outline_registered;
const registered_op<undefined_op> undefined_registered;

} // namespace

} // namespace migraphx
