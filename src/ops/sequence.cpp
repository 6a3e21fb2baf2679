// SPDX-License-Identifier: MIT
// Sequences: lists of tensors whose number, sizes and ranks may differ from run to run. A value is
// a tuple, whose members are shared, not copied.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/module_body.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"
#include "ops/type_field.hpp"

#include "ir/rank_zero.hpp"
#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

void takes_boxed(op_info& info) {
    info.takes_boxed = true;
}

const shape& element_of(const std::vector<shape>& in) {
    if (not in.at(0).is_sequence())
        fail_shape(str("a sequence was expected for input 0, got ", in[0]));
    return in[0].element();
}

void expect_position(const std::vector<shape>& in, std::size_t i) {
    if (i < in.size() and not shape::is_integral(in[i].type()))
        fail_shape(str("an integer was expected as position, got ", in[i]));
}

// A position counted from the front; `missing` when the operator has no such input.
std::size_t position(const std::vector<argument>& in, std::size_t i, std::size_t size,
                     std::size_t most, std::size_t missing) {
    if (i >= in.size())
        return missing;
    if (in[i].get_shape().elements() != 1)
        fail_shape(str("a position of one element was expected, got ", in[i].get_shape()));
    const auto n = static_cast<int64_t>(size);
    const auto p = load<int64_t>(in[i]).at(0);
    if (p < -n or p > static_cast<int64_t>(most))
        fail_shape(str("a position in [", -n, ", ", static_cast<int64_t>(most),
                       "] was expected for a sequence of ", size, ", got ", p));
    return static_cast<std::size_t>(p < 0 ? p + n : p);
}

struct sequence_construct_op {
    shape::type_t type = shape::float_type;

    static constexpr auto name = "sequence_construct";
    static constexpr auto summary = "The sequence of the inputs";
    static void traits(op_info& info) { takes_boxed(info); }
    static void fields(field_list<sequence_construct_op>& f) {
        type_field(f, "type", &sequence_construct_op::type, "element type of an empty sequence");
    }

    shape infer(const std::vector<shape>& in) const {
        shape element = in.empty() ? shape::absent(type) : in.front();
        for (const auto& s : in) {
            if (s.type() == shape::tuple_type)
                fail_shape(str("tensors were expected, got ", s));
            element = joined_shape(element, s);
        }
        return shape::sequence(element);
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const { return {in}; }
};

struct sequence_insert_op {
    static constexpr auto name = "sequence_insert";
    static constexpr auto summary = "A sequence with one more tensor, at the end or at a position";
    static void traits(op_info& info) { takes_boxed(info); }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 3});
        const auto& element = element_of(in);
        expect_position(in, 2);
        return shape::sequence(joined_shape(element, in[1]));
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        auto members = in[0].get_sub_objects();
        const auto n = members.size();
        const auto at = position(in, 2, n, n, n);
        members.insert(members.begin() + static_cast<std::ptrdiff_t>(at), in[1]);
        return {members};
    }
};

struct sequence_erase_op {
    static constexpr auto name = "sequence_erase";
    static constexpr auto summary = "A sequence without its last tensor, or the one at a position";
    static void traits(op_info& info) { takes_boxed(info); }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({1, 2});
        expect_position(in, 1);
        return shape::sequence(element_of(in));
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        auto members = in[0].get_sub_objects();
        const auto n = members.size();
        if (n == 0)
            fail_shape("a sequence with at least one tensor was expected, got an empty one");
        const auto at = position(in, 1, n, n - 1, n - 1);
        members.erase(members.begin() + static_cast<std::ptrdiff_t>(at));
        return {members};
    }
};

struct sequence_at_op {
    static constexpr auto name = "sequence_at";
    static constexpr auto summary = "The tensor at a position of a sequence";
    static void traits(op_info& info) { takes_boxed(info); }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2);
        const auto& element = element_of(in);
        expect_position(in, 1);
        return element.is_absent() ? shape::unranked(element.type()) : element;
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto members = in[0].get_sub_objects();
        if (members.empty())
            fail_shape("a sequence with at least one tensor was expected, got an empty one");
        return members[position(in, 1, members.size(), members.size() - 1, 0)];
    }
};

struct sequence_length_op {
    static constexpr auto name = "sequence_length";
    static constexpr auto summary = "The number of tensors in a sequence";
    static void traits(op_info& info) { takes_boxed(info); }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1);
        element_of(in);
        return shape{shape::int64_type};
    }
    argument evaluate(const shape& output, const std::vector<argument>& in) const {
        argument result{output};
        const auto n = static_cast<int64_t>(in[0].get_sub_objects().size());
        store(result, 0, 1, &n);
        return result;
    }
};

// Dimensions of a member as ONNX counts them: a scalar has none.
std::vector<std::size_t> member_lens(const shape& s) {
    return is_rank_zero(s) ? std::vector<std::size_t>{} : s.lens();
}

struct concat_from_sequence_op {
    int64_t axis = 0;
    bool new_axis = false;

    static constexpr auto name = "concat_from_sequence";
    static constexpr auto summary = "The tensors of a sequence side by side, or on a new axis";
    static void traits(op_info& info) { takes_boxed(info); }
    static void fields(field_list<concat_from_sequence_op>& f) {
        f.add("axis", &concat_from_sequence_op::axis, "axis of the result, negative from the end");
        f.add("new_axis", &concat_from_sequence_op::new_axis,
              "whether the axis is an additional one");
    }

    std::size_t axis_in(std::size_t rank) const {
        return normalize_axis(axis, rank + (new_axis ? 1 : 0), name);
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1);
        const auto& element = element_of(in);
        if (not element.has_rank())
            return shape::unranked(element.type());
        const bool scalar = is_rank_zero(element);
        auto dims =
            scalar ? std::vector<shape::dynamic_dimension>{} : dims_of(demote_to_range(element));
        const auto at = axis_in(dims.size());
        const shape::dynamic_dimension any{0, unlimited_size};
        if (new_axis)
            dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(at), any);
        else
            dims[at] = any;
        return {element.type(), dims};
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto members = in[0].get_sub_objects();
        if (members.empty())
            fail_shape("a sequence with at least one tensor was expected, got an empty one");
        auto lens = member_lens(members.front().get_shape());
        const auto type = members.front().get_shape().type();
        const auto at = axis_in(lens.size());
        std::vector<argument> parts;
        std::size_t total = 0;
        for (const auto& m : members) {
            auto own = member_lens(m.get_shape());
            const auto length = new_axis ? 1 : own.size() == lens.size() ? own.at(at) : 0;
            auto others = own;
            if (not new_axis and own.size() == lens.size())
                others[at] = lens[at];
            if (others != lens or m.get_shape().type() != type)
                fail_shape(str("tensors that fit beside {", members.front().get_shape(),
                               "} were expected, got {", m.get_shape(), "}"));
            if (new_axis)
                own.insert(own.begin() + static_cast<std::ptrdiff_t>(at), 1);
            total += length;
            argument part{argument::uninitialized(shape{type, own})};
            copy_in_order(part, m);
            parts.push_back(part);
        }
        if (new_axis)
            lens.insert(lens.begin() + static_cast<std::ptrdiff_t>(at), total);
        else
            lens[at] = total;
        auto result = argument::uninitialized(shape{type, lens});
        std::vector<std::size_t> start(lens.size(), 0);
        for (const auto& p : parts) {
            copy_elements(block_of(result, start, p.get_shape().lens()), p);
            start[at] += p.get_shape().lens()[at];
        }
        return result;
    }
};

struct split_to_sequence_op {
    int64_t axis = 0;
    bool keepdims = true;

    static constexpr auto name = "split_to_sequence";
    static constexpr auto summary = "Parts of a tensor along an axis as a sequence";
    static void traits(op_info& info) { takes_boxed(info); }
    static void fields(field_list<split_to_sequence_op>& f) {
        f.axis("axis", &split_to_sequence_op::axis, "dimension to cut");
        f.add("keepdims", &split_to_sequence_op::keepdims,
              "parts of one position keep the axis, where no sizes are given");
    }

    bool drops_axis(std::size_t inputs) const { return inputs == 1 and not keepdims; }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count({1, 2});
        if (not in[0].has_rank())
            return shape::sequence(shape::unranked(in[0].type()));
        expect(in).only(0, 1).tensor().axis(axis);
        expect_position(in, 1);
        auto dims = dims_of(demote_to_range(in[0]));
        const auto at = static_cast<std::size_t>(axis);
        const auto most = dims[at].get_interval().max;
        if (in.size() == 2)
            dims[at] = {0, most};
        else
            dims[at] = {1, 1};
        if (drops_axis(in.size()))
            dims.erase(dims.begin() + axis);
        return shape::sequence(tensor_shape(in[0].type(), dims));
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto& s = in[0].get_shape();
        const auto at = normalize_axis(axis, s.ndim(), name);
        auto lens = s.lens();
        std::vector<std::size_t> start(lens.size(), 0);
        std::vector<argument> members;
        for (auto n : sizes(in, s.lens()[at])) {
            lens[at] = n;
            auto dense = lens;
            if (drops_axis(in.size()))
                dense.erase(dense.begin() + static_cast<std::ptrdiff_t>(at));
            auto part = argument::uninitialized(tensor_shape(s.type(), dense));
            copy_in_order(part, block_of(in[0], start, lens));
            members.push_back(with_own_strings(part));
            start[at] += n;
        }
        return {members};
    }
    static std::vector<std::size_t> sizes(const std::vector<argument>& in, std::size_t length) {
        if (in.size() == 1)
            return std::vector<std::size_t>(length, 1);
        const auto given = read_sizes(in[1], "split");
        std::vector<std::size_t> result;
        if (is_rank_zero(in[1].get_shape())) {
            if (given[0] == 0)
                fail_shape("split: a size above 0 was expected, got 0");
            for (std::size_t done = 0; done < length; done += result.back())
                result.push_back(std::min(given[0], length - done));
            return result;
        }
        std::size_t left = length;
        for (auto n : given) {
            if (n > left)
                fail_shape(
                    str("split: sizes that sum up to ", length, " were expected, got ", given));
            left -= n;
        }
        if (left != 0)
            fail_shape(str("split: sizes that sum up to ", length, " were expected, got ", given));
        return given;
    }
};

struct sequence_map_op {
    static constexpr auto name = "sequence_map";
    static constexpr auto summary = "The results of a module for each position of sequences";
    static void traits(op_info& info) { takes_boxed(info); }

    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(1);
        element_of(in);
        const auto& body = *only_module(mods);
        if (body.get_parameter_names().size() != in.size())
            fail_shape(str(body.get_parameter_names().size(),
                           " inputs (one for each parameter) were expected, got ", in.size()));
        std::vector<shape> results;
        for (const auto& s : body.get_output_shapes())
            results.push_back(shape::sequence(s));
        return shape{results};
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner& run) const {
        auto* body = only_module(mods);
        const auto names = body->get_parameter_names();
        const auto length = in[0].get_sub_objects().size();
        std::vector<std::vector<argument>> results(output.sub_shapes().size());
        for (std::size_t i = 0; i < length; ++i) {
            std::unordered_map<std::string, argument> parameters;
            for (std::size_t p = 0; p < in.size(); ++p) {
                const bool sequence = in[p].get_shape().type() == shape::tuple_type;
                const auto members = in[p].get_sub_objects();
                if (sequence and members.size() != length)
                    fail_shape(str("sequences of ", length, " tensors were expected, got one of ",
                                   members.size()));
                parameters[names.at(p)] = sequence ? members[i] : in[p];
            }
            const auto values = run(body, parameters);
            for (std::size_t r = 0; r < results.size(); ++r)
                results[r].push_back(values.at(r));
        }
        return {std::vector<argument>(results.begin(), results.end())};
    }
};

const registered_op<sequence_construct_op> construct_registered;
const registered_op<sequence_insert_op> insert_registered;
const registered_op<sequence_erase_op> erase_registered;
const registered_op<sequence_at_op> at_registered;
const registered_op<sequence_length_op> length_registered;
const registered_op<concat_from_sequence_op> concat_registered;
const registered_op<split_to_sequence_op> split_registered;
const registered_op<sequence_map_op> map_registered;

} // namespace

} // namespace migraphx
