// SPDX-License-Identifier: MIT
#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/op_info.hpp>
#include <migraphx/register_op.hpp>

#include <ostream>

namespace migraphx::builtin {

shape literal::compute_shape(const std::vector<shape>&) const {
    fail(error_kind::invalid_argument, "a value was expected; use module::add_literal");
}

argument outline::compute(const shape&, const std::vector<argument>&) const {
    return argument{s, nullptr};
}

shape param::compute_shape(const std::vector<shape>&) const {
    fail(error_kind::invalid_argument, "a shape was expected; use module::add_parameter");
}

shape returns::compute_shape(const std::vector<shape>& in) const {
    if (in.empty())
        return {};
    return in.size() == 1 ? in.front() : shape{in};
}

argument comment::compute(context&, const shape& output_shape, const std::vector<argument>&) const {
    return argument{output_shape, nullptr};
}

std::ostream& operator<<(std::ostream& os, const comment& op) {
    return os << op.name() << ' ' << op.text;
}

namespace {

template <class T>
struct registered_builtin {
    registered_builtin() {
        op_info& info = const_cast<op_info&>(detail::user_op_info<T>());
        info.is_builtin = true;
        register_op<T>();
    }
};

const registered_builtin<literal> literal_registered;
const registered_builtin<param> param_registered;
const registered_builtin<returns> returns_registered;
const registered_builtin<comment> comment_registered;

} // namespace

} // namespace migraphx::builtin
