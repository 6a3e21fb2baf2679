// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/between_parts.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/op_info.hpp>

#include "base/str.hpp"
#include "runtime/concrete_form.hpp"
#include "runtime/implementation_table.hpp"
#include "runtime/walked_shape.hpp"
#include "targets/gpu/plan/device_arguments.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

namespace migraphx::gpu {

namespace {

constexpr std::size_t most_kept = 64; // kernels

// What is not larger comes to the host with what decides sizes: limits, padding values.
constexpr std::size_t few_elements = 64;

bool is_plain(const argument& a) {
    const auto t = a.get_shape().type();
    return t != shape::tuple_type and t != shape::string_type and not a.get_shape().is_boxed() and
           not a.get_shape().dynamic();
}

std::string key_of(const device_problem& p) {
    auto key = str(p.op, " -> ", p.output);
    for (std::size_t i = 0; i < p.inputs.size(); i++) {
        key += str("; ", p.inputs[i]);
        if (p.is_constant(i))
            key.append(p.constants[i].data(), span_bytes(p.inputs[i]));
    }
    return key;
}

std::vector<char*> addresses_of(const argument& a) {
    if (a.get_shape().type() != shape::tuple_type)
        return {a.data()};
    std::vector<char*> all;
    for (const auto& member : a.get_sub_objects())
        for (auto* p : addresses_of(member))
            all.push_back(p);
    return all;
}

// Where the members of tuples are asked for `f`.
template <class F>
void for_each_tensor(argument& a, F f) {
    if (a.get_shape().type() != shape::tuple_type)
        return f(a);
    auto members = a.get_sub_objects();
    for (auto& m : members)
        for_each_tensor(m, f);
    a = argument{members};
}

argument front_of(const argument& a, std::vector<std::size_t> lens) {
    return a.view(shape{a.get_shape().type(), std::move(lens)}, 0);
}

bool has_counted_result(const operation& op) {
    const auto name = op.name();
    return name == "nonzero" or name == "nonmaxsuppression" or name == "unique";
}

struct counted_size {
    shape largest;
    std::function<argument(const argument&, std::size_t)> cut; ///< the result among so much memory
};

// None: the reference is to say what is wrong, or there is too little to do.
std::optional<counted_size> size_by_count(const device_problem& p) {
    const auto& x = p.inputs[0];
    if (p.op.name() == "unique") {
        const std::vector<std::size_t> all{x.elements()};
        const shape numbers{shape::int64_type, all};
        return counted_size{shape{std::vector<shape>{{x.type(), all}, numbers, numbers, numbers}},
                            [](const argument& a, std::size_t n) {
                                const auto subs = a.get_sub_objects();
                                return argument{{front_of(subs[0], {n}), front_of(subs[1], {n}),
                                                 subs[2], front_of(subs[3], {n})}};
                            }};
    }
    if (not p.op.get<bool>("use_dyn_output"))
        return std::nullopt;
    if (p.op.name() == "nonzero") {
        if (x.elements() == 0 or x.ndim() == 0)
            return std::nullopt;
        return counted_size{{shape::int64_type, {x.ndim(), x.elements()}},
                            [rank = x.ndim()](const argument& a, std::size_t n) {
                                return front_of(a, {rank, n});
                            }};
    }
    const auto& scores = p.inputs[1].lens();
    if (p.inputs[1].elements() == 0 or x.lens()[0] != scores[0] or x.lens()[1] != scores[2] or
        x.lens()[2] != 4)
        return std::nullopt;
    auto most = scores[2];
    if (p.inputs.size() > 2 and p.is_constant(2) and p.inputs[2].elements() > 0)
        most = std::min(most, std::size_t(std::max<int64_t>(p.constants[2].at<int64_t>(), 0)));
    return counted_size{{shape::int64_type, {scores[0] * scores[1] * most, 3}},
                        [](const argument& a, std::size_t n) {
                            return front_of(a, {n, 3});
                        }};
}

} // namespace

struct between_parts::borrowed_stream {
    const between_parts& from;
    std::shared_ptr<void> s;

    explicit borrowed_stream(const between_parts& b) : from(b) {
        const std::lock_guard lock(from.mutex);
        if (from.idle.empty())
            s = from.on->make_stream();
        else {
            s = std::move(from.idle.back());
            from.idle.pop_back();
        }
    }
    borrowed_stream(const borrowed_stream&) = delete;
    borrowed_stream& operator=(const borrowed_stream&) = delete;
    ~borrowed_stream() {
        const std::lock_guard lock(from.mutex);
        from.idle.push_back(std::move(s));
    }
    stream get() const { return s.get(); }
};

std::vector<argument> between_parts::to_host(std::vector<argument> values) const {
    std::optional<borrowed_stream> queue;
    for (auto& v : values)
        for_each_tensor(v, [&](argument& a) {
            if (a.data() == nullptr or not on->owns(a.data()))
                return;
            if (not queue)
                queue.emplace(*this);
            auto copy = argument::uninitialized(a.get_shape());
            on->copy(copy.data(), a.data(), a.get_shape().bytes(), copy_kind::to_host,
                     queue->get());
            a = std::move(copy);
        });
    if (queue)
        on->synchronize(queue->get());
    return values;
}

// Of inputs that are wanted, or few; others have no data.
std::vector<argument> between_parts::values_of(const std::vector<argument>& in,
                                               const std::vector<std::size_t>& wanted) const {
    auto values = in;
    for (std::size_t i = 0; i < in.size(); i++)
        if (std::find(wanted.begin(), wanted.end(), i) == wanted.end() and
            in[i].get_shape().elements() > few_elements)
            values[i] = argument{in[i].get_shape(), nullptr};
    return to_host(std::move(values));
}

std::shared_ptr<const kernel> between_parts::kernel_for(const device_problem& p) const {
    const auto key = key_of(p);
    {
        const std::lock_guard lock(mutex);
        auto it =
            std::find_if(kept.begin(), kept.end(), [&](const auto& e) { return e.key == key; });
        if (it != kept.end()) {
            kept.splice(kept.begin(), kept, it);
            return kept.front().made;
        }
    }
    std::shared_ptr<const kernel> made = first_that_takes(p, implementations_of(p.op.name())).k;
    if (made != nullptr and runs_on_host(*made))
        made = nullptr;
    const std::lock_guard lock(mutex);
    kept.push_front({key, made});
    if (kept.size() > most_kept)
        kept.pop_back();
    return made;
}

std::optional<argument> between_parts::evaluate(const operation& op,
                                                const std::vector<argument>& in) const {
    if (not op.info().resolve or not std::all_of(in.begin(), in.end(), is_plain) or
        std::none_of(in.begin(), in.end(), [&](const auto& a) { return on->owns(a.data()); }))
        return std::nullopt;
    on->make_current();
    return has_counted_result(op) ? evaluate_counted(op, in) : evaluate_known(op, in);
}

// The size follows from a few values.
std::optional<argument> between_parts::evaluate_known(const operation& op,
                                                      const std::vector<argument>& in) const {
    const auto& info = op.info();
    const auto values = values_of(in, info.shape_inputs);
    const auto canonical = op.need_normalization() ? op.normalized(to_shapes(in)) : op;
    const auto output = info.resolve(canonical.self(), values);
    const auto form = concrete_form(op, values, output);

    device_problem p;
    p.on = on;
    std::vector<argument> data;
    for (auto i : form.inputs) {
        p.inputs.push_back(in[i].get_shape());
        p.constants.push_back(values[i].data() != nullptr ? values[i] : argument{});
        data.push_back(in[i]);
    }
    p.op = form.op.normalized(p.inputs);
    p.output = p.op.compute_shape(p.inputs);
    if (p.op.info().is_view) { // a copy of what it shows
        data = {p.op.compute(p.output, data)};
        p.inputs = {p.output};
        p.constants = {argument{}};
        p.output = p.output.as_standard();
        p.op = make_op("contiguous");
    }
    const auto work = kernel_for(p);
    if (work == nullptr)
        return std::nullopt;

    return run(*work, std::move(data), p.output);
}

// The size is counted while the result is computed, in memory for the largest.
std::optional<argument> between_parts::evaluate_counted(const operation& op,
                                                        const std::vector<argument>& in) const {
    device_problem p;
    p.on = on;
    p.inputs = to_shapes(in);
    p.op = op.normalized(p.inputs);
    p.constants = values_of(in, {});
    for (auto& c : p.constants)
        if (c.data() == nullptr)
            c = {};
    const auto size = size_by_count(p);
    if (not size)
        return std::nullopt;
    p.output = size->largest;
    const auto work = kernel_for(p);
    if (work == nullptr)
        return std::nullopt;
    std::size_t count = 0;
    const auto result = run(*work, in, p.output, &count);
    return size->cut(result, count);
}

argument between_parts::run(const kernel& work, std::vector<argument> in, const shape& output,
                            std::size_t* count) const {
    std::vector<char*> inputs;
    for (auto& a : in) {
        a = to_device(on, a);
        inputs.push_back(a.data());
    }
    auto result = allocate_on(on, output);
    const auto outputs = addresses_of(result);
    const auto scratch = on->allocate(std::max<std::size_t>(work.scratch_bytes(), 1));
    const borrowed_stream queue(*this);
    work.run({inputs.data(), outputs.data(), scratch.get(), queue.get()});
    uint64_t found = 0;
    if (count != nullptr) {
        const auto& counted = dynamic_cast<const counted_kernel&>(work);
        on->copy(&found, scratch.get() + counted.at, counted.bytes, copy_kind::to_host,
                 queue.get());
    }
    on->synchronize(queue.get());
    if (count != nullptr)
        *count = found;
    return result;
}

} // namespace migraphx::gpu
