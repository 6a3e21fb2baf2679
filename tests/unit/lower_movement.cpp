// SPDX-License-Identifier: MIT
#include "lower_support.hpp"

using namespace lower_check;

namespace {

const shape::type_t move_types[] = {shape::float_type, shape::int8_type, shape::half_type,
                                    shape::int64_type};

TEST(lower_movement, contiguous_and_layout) {
    for (auto t : move_types)
        for (const auto& l : {lens{7}, lens{5, 9}, lens{2, 3, 17, 4}, lens{1, 1, 6}, lens{3, 0, 2}})
            for (const auto& x : layouts(noise({t, l}))) {
                check_lowered(make_op("contiguous"), {x});
                if (l.size() == 4)
                    check_lowered(make_op("layout", {{"permutation", {0, 2, 3, 1}}}), {x});
            }
    check_lowered(make_op("contiguous"), {broadcast_along(noise(of({4, 5, 6})), 1)});
    check_lowered(make_op("contiguous"), {broadcast_along(noise(of({4, 5, 6})), 2)});
}

TEST(lower_movement, reshape) {
    for (const auto& x : layouts(noise(of({4, 6, 10}))))
        for (const auto& d :
             {lens{24, 10}, lens{4, 60}, lens{240}, lens{2, 2, 3, 20}, lens{8, 5, 6}})
            check_lowered(make_op("reshape", {{"dims", d}}), {x});
    for (const auto& x : layouts(noise(of({2, 3, 4, 5}))))
        check_lowered(make_op("flatten", {{"axis", 2}}), {x});
    check_lowered(make_op("reshape", {{"dims", {5, 0}}}), {noise(of({5, 0}))}, {.compiled = false});
}

TEST(lower_movement, reshape_of_many_axes) {
    const auto x = noise(of({2, 2, 2, 2, 2, 2, 2, 2, 2}));
    check_lowered(make_op("contiguous"), {sliced(x)}, {.may_refuse = true});
    check_lowered(make_op("contiguous"), {x});
}

TEST(lower_movement, concat) {
    for (auto t : move_types)
        for (int axis = 0; axis < 4; ++axis) {
            lens a{2, 3, 4, 5}, b = a, c = a;
            b[std::size_t(axis)] = 1;
            c[std::size_t(axis)] = 7;
            const auto x = layouts(noise({t, a})), y = layouts(noise({t, b}, 3)),
                       z = layouts(noise({t, c}, 4));
            for (std::size_t i = 0; i < x.size(); ++i)
                check_lowered(make_op("concat", {{"axis", axis}}),
                              {x[i], y[(i + 1) % y.size()], z[i]});
        }
    check_lowered(make_op("concat", {{"axis", 1}}),
                  {noise(of({3, 2})), noise(of({3, 0})), noise(of({3, 4}))});
}

TEST(lower_movement, pad) {
    for (auto t : {shape::float_type, shape::int32_type, shape::uint8_type})
        for (const auto& x : layouts(noise({t, {2, 3, 6, 5}}))) {
            check_lowered(make_op("pad", {{"pads", {0, 0, 1, 2, 0, 0, 3, 0}}, {"value", 2.5f}}),
                          {x});
            check_lowered(make_op("pad", {{"pads", {0, 1, -1, 2, 0, 0, 3, -2}}}), {x});
            for (int mode : {1, 2, 3}) {
                check_lowered(make_op("pad", {{"pads", {0, 0, 2, 4, 0, 0, 3, 1}}, {"mode", mode}}),
                              {x});
                check_lowered(
                    make_op("pad", {{"pads", {0, 0, -2, 4, 0, 0, 13, -1}}, {"mode", mode}}), {x});
            }
        }
    check_lowered(make_op("pad", {{"pads", {-5, 1}}}), {noise(of({4}))}, {.compiled = false});
}

TEST(lower_movement, reverse) {
    for (const auto& x : layouts(noise(of({3, 4, 5})))) {
        check_lowered(make_op("reverse", {{"axes", {1}}}), {x});
        check_lowered(make_op("reverse", {{"axes", {0, 2}}}), {x});
    }
}

operation with_shape(const operation& op, const shape& s) {
    return make_op("with_shape",
                   {{"op", migraphx::to_value(op)}, {"shape", migraphx::to_value(s)}});
}
argument longs(const std::vector<int64_t>& v) {
    argument a(shape{shape::int64_type, {v.size()}});
    std::copy(v.begin(), v.end(), reinterpret_cast<int64_t*>(a.data()));
    return a;
}

TEST(lower_movement, known_shapes) {
    for (const auto& x : layouts(noise(of({2, 3, 4}))))
        check_lowered(with_shape(make_op("tile_dynamic"), of({4, 3, 12})), {x, longs({2, 1, 3})},
                      {.constants = {1}, .compiled = false});
    for (const auto& x : layouts(noise(of({8, 3, 9})))) {
        check_lowered(with_shape(make_op("slice_dynamic"), of({8, 3, 5})),
                      {x, longs({8}), longs({-100}), longs({2}), longs({-2})},
                      {.constants = {1, 2, 3, 4}, .compiled = false});
        check_lowered(with_shape(make_op("slice_dynamic"), of({3, 2, 9})),
                      {x, longs({1, 0}), longs({100, -1}), longs({0, 1}), longs({3, 1})},
                      {.constants = {1, 2, 3, 4}, .compiled = false});
    }
    check_lowered(with_shape(make_op("constant_of_shape", {{"value", 3.5}}), of({3, 4})),
                  {longs({3, 4})}, {.compiled = false});
    check_lowered(with_shape(make_op("pad_dynamic"), of({5, 7})),
                  {noise(of({4, 4})), longs({1, 0, 0, 3})}, {.constants = {1}, .compiled = false});
}

} // namespace
