// SPDX-License-Identifier: MIT
#include "lower_support.hpp"

using namespace lower_check;

namespace {

TEST(lower_reduction, reductions) {
    for (const auto* name :
         {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod"})
        for (const auto& l : {lens{6, 50}, lens{2, 3, 7, 9}, lens{1, 20, 1, 33}})
            for (const auto& x : layouts(noise(of(l))))
                for (const auto& axes :
                     l.size() == 2
                         ? std::vector<std::vector<int64_t>>{{0}, {1}, {-1, 0}}
                         : std::vector<std::vector<int64_t>>{{1}, {2, 3}, {0, 2}, {0, 1, 2, 3}})
                    check_lowered(make_op(name, {{"axes", axes}}), {x},
                                  {.compiled = axes.size() == 1});
    for (auto t : {shape::int32_type, shape::int64_type, shape::uint8_type, shape::double_type,
                   shape::half_type})
        check_lowered(make_op("reduce_sum", {{"axes", {1}}}), {ramp({t, {3, 5, 2}})},
                      {.tolerance = 1e-3});
    for (const auto* name : {"reduce_all", "reduce_any"})
        check_lowered(make_op(name, {{"axes", {0}}}), {noise({shape::bool_type, {5, 3}})});
    check_lowered(make_op("reduce_sum", {{"axes", {1}}}), {noise(of({3, 0}))}, {.compiled = false});
    check_lowered(make_op("reduce_mean", {{"axes", {2}}}),
                  {broadcast_along(noise(of({4, 5, 6})), 1)});
}

TEST(lower_reduction, extremes) {
    for (const auto* name : {"argmax", "argmin"})
        for (bool last : {false, true})
            for (const auto& x : layouts(ramp(of({3, 11, 4}), 0.37, -2)))
                for (int axis = 0; axis < 3; ++axis)
                    check_lowered(make_op(name, {{"axis", axis}, {"select_last_index", last}}),
                                  {x});
    check_lowered(make_op("argmax", {{"axis", 1}}), {noise({shape::int8_type, {4, 40}})});
}

TEST(lower_reduction, softmax) {
    for (const auto* name : {"softmax", "logsoftmax"})
        for (const auto& l : {lens{3, 100}, lens{2, 3, 17, 5}, lens{1, 1, 1, 1}, lens{2, 33, 16}})
            for (const auto& x : layouts(noise(of(l))))
                for (int axis = 0; axis < int(l.size()); ++axis)
                    check_lowered(make_op(name, {{"axis", axis}}), {x});
    check_lowered(make_op("softmax", {{"axis", 1}}), {noise({shape::half_type, {3, 50}})},
                  {.tolerance = 2e-3});
    check_lowered(make_op("softmax", {{"axis", 1}}), {noise(of({0, 5}))}, {.compiled = false});
}

TEST(lower_reduction, running_sums) {
    for (auto t : {shape::float_type, shape::int64_type, shape::int32_type})
        for (const auto& x : layouts(ramp({t, {3, 5, 4}})))
            for (int axis = 0; axis < 3; ++axis)
                for (bool exclusive : {false, true})
                    check_lowered(
                        make_op("prefix_scan_sum",
                                {{"axis", axis}, {"exclusive", exclusive}, {"reverse", axis == 1}}),
                        {x});
}

TEST(lower_reduction, norms) {
    for (const auto& l : {lens{3, 64}, lens{2, 5, 33}, lens{2, 3, 4, 8}})
        for (int64_t axis : {-1, 1})
            for (const auto& x : layouts(noise(of(l)))) {
                lens tail(l.end() + (axis == -1 ? -1 : 1 - std::ptrdiff_t(l.size())), l.end());
                const auto scale = noise(of(tail), 5), bias = noise(of(tail), 6);
                check_lowered(make_op("layer_norm", {{"axis", axis}}), {x});
                check_lowered(make_op("layer_norm", {{"axis", axis}}), {x, scale, bias});
                check_lowered(make_op("layer_norm", {{"axis", axis}}), {x, sliced(scale), bias});
                check_lowered(make_op("rms_norm", {{"axis", axis}, {"epsilon", 1e-3f}}),
                              {x, scale});
            }
    check_lowered(make_op("layer_norm"), {noise(of({4, 16})), noise(of({1})), noise(of({16}))});
}

TEST(lower_reduction, lrn) {
    for (const auto& l : {lens{1, 16, 9, 7}, lens{2, 5, 3, 3}, lens{1, 40, 20, 20}})
        for (const auto& x : layouts(noise(of(l))))
            for (int size : {5, 3, 4})
                check_lowered(
                    make_op("lrn",
                            {{"alpha", 0.3f}, {"beta", 0.75f}, {"bias", 1.5f}, {"size", size}}),
                    {x});
}

} // namespace
