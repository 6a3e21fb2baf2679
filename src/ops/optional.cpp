// SPDX-License-Identifier: MIT
// Optionals: a tensor or a sequence that may be missing. A value is a tuple of one or of none.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

namespace migraphx {

namespace {

const shape& content_of(const std::vector<shape>& in) {
    expect(in).count(1);
    if (not in[0].is_optional())
        fail_shape(str("an optional was expected, got ", in[0]));
    return in[0].element();
}

struct optional_op {
    shape type;

    static constexpr auto name = "optional";
    static constexpr auto summary = "The input as an optional, or without input an empty one";
    static void traits(op_info& info) { info.takes_boxed = true; }
    static void fields(field_list<optional_op>& f) {
        f.add("type", &optional_op::type, "what an empty one could hold");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({0, 1});
        return shape::optional(in.empty() ? type : in[0]);
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const { return {in}; }
};

struct optional_get_element_op {
    static constexpr auto name = "optional_get_element";
    static constexpr auto summary = "What an optional holds; fails when it is empty";
    static void traits(op_info& info) { info.takes_boxed = true; }

    shape infer(const std::vector<shape>& in) const { return content_of(in); }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto members = in[0].get_sub_objects();
        if (members.empty())
            fail_shape("an optional with an element was expected, got an empty one");
        return members.front();
    }
};

struct optional_has_element_op {
    static constexpr auto name = "optional_has_element";
    static constexpr auto summary = "Whether an optional holds something";
    static void traits(op_info& info) { info.takes_boxed = true; }

    shape infer(const std::vector<shape>& in) const {
        content_of(in);
        return shape{shape::bool_type};
    }
    argument evaluate(const shape& output, const std::vector<argument>& in) const {
        argument result{output};
        const int64_t has = in[0].get_sub_objects().empty() ? 0 : 1;
        store(result, 0, 1, &has);
        return result;
    }
};

const registered_op<optional_op> optional_registered;
const registered_op<optional_get_element_op> get_registered;
const registered_op<optional_has_element_op> has_registered;

} // namespace

} // namespace migraphx
