// SPDX-License-Identifier: MIT
#include <migraphx/make_op.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/register_op.hpp>

#include "ir/normalize.hpp"
#include "ir/text.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

namespace migraphx {

operation::operation(const op_info& info, std::shared_ptr<const void> self)
    : m_info(&info), m_self(std::move(self)) {
    if (m_self == nullptr and info.create)
        m_self = info.create();
}

operation operation::from_registered(const std::string& name, const value& attributes) {
    return make_op_from_value(name, attributes);
}

std::string operation::name() const {
    if (m_info == nullptr)
        return "";
    return m_info->display_name ? m_info->display_name(m_self.get()) : m_info->name;
}

value operation::to_value() const {
    value v = value::object{};
    if (m_info != nullptr)
        for (const auto& f : m_info->fields)
            v[f.name] = f.get(m_self.get());
    return v;
}

namespace {

std::string known_attributes(const op_info& info) {
    std::string names;
    for (const auto& f : info.fields)
        names += (names.empty() ? "" : ", ") + f.name;
    return names.empty() ? "it has none" : "it has " + names;
}

} // namespace

namespace {

// A word of an enumeration as its number.
value number_of_word(const field_info& f, const value& v) {
    if (not v.is_string())
        return v;
    const auto at = std::find(f.words.begin(), f.words.end(), v.get_string());
    return at == f.words.end() ? v : value(at - f.words.begin());
}

} // namespace

void operation::from_value(const value& v) {
    if (m_info == nullptr)
        fail(error_kind::invalid_argument,
             "operation: an operator was expected, got an empty operation");
    if (v.is_null() or v.empty())
        return;
    if (not v.is_object())
        fail(error_kind::invalid_argument,
             name() + ": attributes by name were expected, got another value");
    if (not m_info->clone)
        fail(error_kind::internal, name() + ": an operator that can be copied was expected");
    auto fresh = m_info->clone(m_self.get());
    for (const auto& item : v) {
        const field_info* field = nullptr;
        for (const auto& f : m_info->fields)
            if (f.name == item.get_key())
                field = &f;
        if (field == nullptr)
            fail(error_kind::invalid_argument,
                 "No key '" + item.get_key() + "' in " + m_info->name +
                     ": an attribute of the operator was expected; " + known_attributes(*m_info));
        with_context([&] { field->set(fresh.get(), number_of_word(*field, item.without_key())); },
                     [&] { return "attribute " + field->name + " of " + m_info->name; });
    }
    m_self = std::move(fresh);
}

value operation::attribute(const std::string& key) const {
    if (m_info != nullptr)
        for (const auto& f : m_info->fields)
            if (f.name == key)
                return f.get(m_self.get());
    fail(error_kind::internal,
         name() + ": an attribute of the operator was expected, got '" + key + "'");
}

bool operation::has_attribute(const std::string& key) const {
    if (m_info != nullptr)
        for (const auto& f : m_info->fields)
            if (f.name == key)
                return true;
    return false;
}

value operation::attributes() const {
    value v = value::object{};
    if (m_info == nullptr)
        return v;
    if (m_info->attributes)
        v = m_info->attributes(m_self.get());
    if (m_info->is_pointwise and not v.contains("pointwise"))
        v["pointwise"] = true;
    if (m_info->is_commutative and not v.contains("commutative"))
        v["commutative"] = true;
    return v;
}

namespace {

// Dimensions that most operators ask for.
void check_plain(const std::vector<shape>& input) {
    for (std::size_t i = 0; i < input.size(); i++) {
        const auto& s = input[i];
        if (s.is_sequence() or s.is_optional() or not s.has_rank())
            fail(error_kind::invalid_argument,
                 "a tensor" + std::string(s.has_rank() ? "" : " of known rank") +
                     " was expected for input " + std::to_string(i) + ", got " + s.to_string());
    }
}

} // namespace

shape operation::compute_shape(const std::vector<shape>& input) const {
    return compute_shape(input, {});
}

shape operation::compute_shape(const std::vector<shape>& input,
                               const std::vector<module_ref>& module_args) const {
    if (m_info == nullptr)
        fail(error_kind::invalid_argument,
             "operation: an operator was expected, got an empty operation");
    try {
        if (not m_info->takes_boxed and not m_info->is_builtin)
            check_plain(input);
        if (need_normalization() and not input.empty()) {
            const auto canonical = normalized(input);
            return m_info->infer(canonical.m_self.get(), input, module_args);
        }
        return m_info->infer(m_self.get(), input, module_args);
    } catch (exception& e) {
        // The operator knows only what it expected; its name and inputs are added here, once.
        exception full(e.category(),
                       e.message().starts_with(name() + ":") ? e.message()
                                                             : name() + ": " + e.message(),
                       e.place());
        for (const auto& line : e.context())
            full.add_context(line);
        for (std::size_t i = 0; i < input.size() and e.context().empty(); i++) {
            std::ostringstream line;
            line << "input " << i << ": " << input[i];
            full.add_context(line.str());
        }
        throw full;
    }
}

argument operation::compute(const shape& output, const std::vector<argument>& input) const {
    return compute(static_cast<context*>(nullptr), output, input, {}, {});
}

argument operation::compute(context& ctx, const shape& output,
                            const std::vector<argument>& input) const {
    return compute(&ctx, output, input, {}, {});
}

argument operation::compute(const shape& output, const std::vector<argument>& input,
                            const std::vector<module_ref>& module_args,
                            std::function<std::vector<argument>(
                                module_ref&, const std::unordered_map<std::string, argument>&)>
                                run) const {
    return compute(static_cast<context*>(nullptr), output, input, module_args, run);
}

argument operation::compute(context* ctx, const shape& output, const std::vector<argument>& input,
                            const std::vector<module_ref>& module_args,
                            const module_runner& run) const {
    if (m_info == nullptr or not m_info->compute)
        fail(error_kind::unsupported, name() + ": an operator with a reference evaluation was "
                                               "expected; this one only runs after a target "
                                               "has lowered it");
    return with_context(
        [&] {
            if (need_normalization() and not input.empty()) {
                const auto canonical = normalized(to_shapes(input));
                return m_info->compute(canonical.m_self.get(), ctx, output, input, module_args,
                                       run);
            }
            return m_info->compute(m_self.get(), ctx, output, input, module_args, run);
        },
        [&] { return "while evaluating " + name(); });
}

std::vector<std::size_t> operation::output_alias(const std::vector<shape>& input) const {
    if (m_info == nullptr or not m_info->output_alias)
        return {};
    return m_info->output_alias(m_self.get(), input);
}

void operation::finalize(context& ctx, const shape& output, const std::vector<shape>& input) {
    if (m_info == nullptr or not m_info->finalize)
        return;
    auto fresh = m_info->clone(m_self.get());
    m_info->finalize(fresh.get(), ctx, output, input);
    m_self = std::move(fresh);
}

value operation::compile(context& ctx, const shape& output, const std::vector<shape>& input) {
    if (m_info == nullptr or not m_info->compile)
        return {};
    return m_info->compile(m_self.get(), ctx, output, input);
}

bool operation::is_context_free() const {
    return m_info != nullptr and m_info->is_context_free;
}

bool operation::need_normalization() const {
    return m_info != nullptr and detail::needs_normalization(*m_info);
}

operation operation::normalized(const std::vector<shape>& input) const {
    return normalize_attributes(*this, input);
}

bool operator==(const operation& x, const operation& y) {
    if (x.m_info != y.m_info)
        return false;
    if (x.m_self == y.m_self)
        return true;
    return x.name() == y.name() and x.to_value() == y.to_value();
}

std::ostream& operator<<(std::ostream& os, const operation& op) {
    return os << to_text(op);
}

bool has_finalize(const operation& op) {
    return not op.empty() and bool(op.info().finalize);
}
bool is_context_free(const operation& op) {
    return op.is_context_free();
}
bool need_normalization(const operation& op) {
    return op.need_normalization();
}

value operation_to_value(const operation& op) {
    value result;
    result["name"] = op.name();
    result["operator"] = op.to_value();
    return result;
}

void migraphx_from_value(const value& v, operation& op) {
    const auto name = v.at("name").to<std::string>();
    if (name.empty())
        op = {};
    else
        op = make_op_from_value(name,
                                v.contains("operator") ? v.at("operator").without_key() : value{});
}

} // namespace migraphx
