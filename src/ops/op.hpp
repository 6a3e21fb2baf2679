// SPDX-License-Identifier: MIT
// How an operator is written down once (see README.md): a struct with plain fields, a shape rule
// and a reference evaluation, turned into an `op_info` record by a `registered_op`.
//
//   struct softmax
//   {
//       int64_t axis = 1;
//       static constexpr auto name    = "softmax";
//       static constexpr auto summary = "Exponentials along `axis`, scaled to sum to one";
//       static void fields(field_list<softmax>& f) { f.axis("axis", &softmax::axis, "dimension …");
//       } shape infer(const std::vector<shape>& in) const;            // attributes are canonical
//       void compute(const argument& out, const std::vector<argument>& in) const;
//   };
//   const registered_op<softmax> softmax_registered;
//
// Instead of `compute`: `argument view(const shape& out, in)` for results that share the memory of
// input 0, or `argument evaluate(const shape& out, in[, mods, run])` that makes its own result.
// Optional: `infer(in, mods)`, `shape resolve(const std::vector<argument>& in)` with
// `static std::vector<std::size_t> shape_inputs()` when element values decide the output shape,
// `std::vector<std::size_t> alias(in)`, `value attributes()`, `static void traits(op_info&)`.
#pragma once

#include <migraphx/op_info.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/register_op.hpp>
#include <migraphx/serialize.hpp>

#include <string>
#include <type_traits>
#include <vector>

namespace migraphx {

template <class T>
class field_list {
public:
    explicit field_list(std::vector<field_info>& fields) : out(fields) {}

    /// An attribute. `C` may be a base of T.
    template <class M, class C>
    field_info& add(const char* name, M C::*member, const char* doc) {
        field_info f;
        f.name = name;
        f.doc = doc;
        f.get = [member](const void* self) {
            return to_value(static_cast<const T*>(self)->*member);
        };
        f.set = [member](void* self, const value& v) {
            from_value(v, static_cast<T*>(self)->*member);
        };
        out.push_back(std::move(f));
        return out.back();
    }
    /// An axis or a list of axes of input 0: negative ones count from the end.
    template <class M, class C>
    field_info& axis(const char* name, M C::*member, const char* doc) {
        return normalized(name, member, doc, normalize_kind::axis);
    }
    template <class M, class C>
    field_info& normalized(const char* name, M C::*member, const char* doc, normalize_kind kind) {
        auto& f = add(name, member, doc);
        f.normalize = kind;
        return f;
    }
    /// An enumeration: an integer in files and values, one of `words` in text.
    template <class M, class C>
    field_info& choice(const char* name, M C::*member, const char* doc,
                       std::vector<std::string> words) {
        auto& f = add(name, member, doc);
        f.words = std::move(words);
        return f;
    }

private:
    std::vector<field_info>& out;
};

/// Result for an output shape that is still dynamic: inferred again from the concrete inputs.
shape concrete_shape(const op_info& info, const void* self, const shape& output,
                     const std::vector<argument>& in, const std::vector<module_ref>& mods = {});

template <class T>
op_info make_op_info() {
    op_info info;
    info.name = T::name;
    info.summary = T::summary;
    info.type = &typeid(T);
    info.create = []() -> std::shared_ptr<void> { return std::make_shared<T>(); };
    info.clone = [](const void* p) -> std::shared_ptr<void> {
        return std::make_shared<T>(*static_cast<const T*>(p));
    };
    if constexpr (requires(field_list<T> & f) { T::fields(f); }) {
        field_list<T> f{info.fields};
        T::fields(f);
    }
    info.infer = [](const void* p, const std::vector<shape>& in,
                    const std::vector<module_ref>& mods) {
        const T& self = *static_cast<const T*>(p);
        if constexpr (requires { self.infer(in, mods); })
            return self.infer(in, mods);
        else
            return self.infer(in);
    };
    if constexpr (requires(const T& x, const std::vector<argument>& in) { x.resolve(in); }) {
        info.resolve = [](const void* p, const std::vector<argument>& in) {
            return static_cast<const T*>(p)->resolve(in);
        };
        info.shape_inputs = T::shape_inputs();
    }
    info.is_view = requires(const T& x, const shape& s, const std::vector<argument>& in) {
        x.view(s, in);
    };
    if constexpr (requires(const T& x, const std::vector<shape>& in) { x.alias(in); })
        info.output_alias = [](const void* p, const std::vector<shape>& in) {
            return static_cast<const T*>(p)->alias(in);
        };
    else if (info.is_view)
        info.output_alias = [](const void*, const std::vector<shape>&) {
            return std::vector<std::size_t>{0};
        };
    if constexpr (requires(const T& x) { x.attributes(); })
        info.attributes = [](const void* p) { return static_cast<const T*>(p)->attributes(); };
    if constexpr (requires { T::traits(info); })
        T::traits(info);
    return info;
}

/// Declared once for each operator, at namespace scope.
template <class T>
struct registered_op {
    registered_op() {
        static op_info info = make_op_info<T>();
        // `info` outlives every call, so the evaluation may refer to it.
        info.compute = [](const void* p, context*, const shape& output,
                          const std::vector<argument>& in, const std::vector<module_ref>& mods,
                          const module_runner& run) -> argument {
            const T& self = *static_cast<const T*>(p);
            (void)run;
            if constexpr (requires { self.evaluate(output, in, mods, run); })
                return with_own_strings(self.evaluate(output, in, mods, run));
            else if constexpr (requires { self.evaluate(output, in); })
                return with_own_strings(self.evaluate(output, in));
            else if constexpr (requires { self.view(output, in); })
                return self.view(concrete_shape(info, p, output, in, mods), in);
            else if constexpr (requires(const argument& out) { self.compute(out, in); }) {
                auto out = argument::uninitialized(concrete_shape(info, p, output, in, mods));
                self.compute(out, in);
                return with_own_strings(out);
            } else
                return {};
        };
        if constexpr (
            not requires(const T& x, const shape& s, const std::vector<argument>& in,
                         const std::vector<module_ref>& mods,
                         const module_runner& run) { x.evaluate(s, in, mods, run); } and
            not requires(const T& x, const shape& s, const std::vector<argument>& in) {
                x.evaluate(s, in);
            } and
            not requires(const T& x, const shape& s, const std::vector<argument>& in) {
                x.view(s, in);
            } and
            not requires(const T& x, const argument& s, const std::vector<argument>& in) {
                x.compute(s, in);
            })
            info.compute = nullptr;
        register_op_info(info);
    }
};

} // namespace migraphx
