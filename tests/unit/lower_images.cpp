// SPDX-License-Identifier: MIT
#include "lower_support.hpp"

using namespace lower_check;

namespace {

struct pool_case {
    lens kernel, stride, padding, dilation;
    bool ceil, count;
};

TEST(lower_images, pooling) {
    const pool_case cases[] = {{{3, 3}, {2, 2}, {1, 1}, {1, 1}, false, false},
                               {{2, 2}, {2, 2}, {0, 0}, {1, 1}, false, false},
                               {{3, 3}, {2, 2}, {0, 0}, {1, 1}, true, false},
                               {{3, 3}, {2, 2}, {1, 1}, {1, 1}, true, true},
                               {{3, 2}, {1, 2}, {1, 0, 0, 1}, {1, 1}, false, true},
                               {{3, 3}, {1, 1}, {2, 2}, {2, 2}, false, false},
                               {{5, 5}, {1, 1}, {2, 2}, {1, 1}, false, true},
                               {{11, 13}, {1, 1}, {0, 0}, {1, 1}, false, false},
                               {{1, 1}, {3, 3}, {0, 0}, {1, 1}, true, false}};
    for (const auto* mode : {"max", "average", "lpnorm"})
        for (const auto& c : cases)
            for (const auto& l : {lens{1, 3, 11, 13}, lens{2, 16, 11, 13}})
                for (const auto& x : layouts(noise(of(l)))) {
                    const int number = std::string(mode) == "average" ? 0
                                       : std::string(mode) == "max"   ? 1
                                                                      : 2;
                    check_lowered(make_op("pooling", {{"mode", number},
                                                      {"lengths", c.kernel},
                                                      {"stride", c.stride},
                                                      {"padding", c.padding},
                                                      {"dilations", c.dilation},
                                                      {"ceil_mode", c.ceil},
                                                      {"count_include_pad", c.count}}),
                                  {x}, {.compiled = number == 1, .may_refuse = true});
                }
}

TEST(lower_images, pooling_has_kernels_for_packed_data) {
    for (const auto& x : {noise(of({1, 16, 12, 12})), channels_last(noise(of({1, 16, 12, 12})))}) {
        check_lowered(
            make_op("pooling",
                    {{"mode", 1}, {"lengths", {3, 3}}, {"stride", {2, 2}}, {"padding", {1, 1}}}),
            {x});
        check_lowered(make_op("pooling", {{"mode", 0}, {"lengths", {12, 12}}}), {x});
        check_lowered(make_op("pooling", {{"mode", 0}, {"dyn_global", true}}), {x});
        check_lowered(make_op("pooling", {{"mode", 0},
                                          {"lengths", {3, 3}},
                                          {"stride", {1, 1}},
                                          {"padding", {1, 1}},
                                          {"count_include_pad", true}}),
                      {x});
        check_lowered(
            make_op("pooling",
                    {{"mode", 1}, {"lengths", {2, 2}}, {"stride", {2, 2}}, {"padding_mode", 2}}),
            {x});
    }
    for (const auto& x : {noise(of({2, 8, 30})), channels_last(noise(of({2, 8, 30}))),
                          noise(of({2, 8, 6, 5, 4}))}) {
        const auto n = x.get_shape().ndim() - 2;
        check_lowered(make_op("pooling", {{"mode", 1},
                                          {"lengths", lens(n, 2)},
                                          {"stride", lens(n, 2)},
                                          {"padding", lens(n, 0)},
                                          {"dilations", lens(n, 1)}}),
                      {x});
    }
}

TEST(lower_images, pooling_of_volumes_has_kernels) {
    for (const auto type : {shape::float_type, shape::half_type, shape::bf16_type})
        for (const auto& x :
             {noise({type, {2, 8, 6, 5, 4}}), channels_last(noise({type, {2, 8, 6, 5, 4}}))})
            for (const auto* mode : {"max", "average", "lpnorm"})
                check_lowered(make_op("pooling", {{"mode", mode},
                                                  {"lengths", {3, 2, 2}},
                                                  {"stride", {2, 1, 2}},
                                                  {"padding", {1, 0, 1}},
                                                  {"dilations", {1, 2, 1}}}),
                              {x});
}

TEST(lower_images, resize) {
    for (const auto& l : {lens{1, 3, 7, 9}, lens{2, 16, 6, 5}})
        for (const auto& x : layouts(noise(of(l))))
            for (const auto* mode : {"nearest", "linear"})
                for (const auto* coordinates :
                     {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"})
                    for (const auto& factors : {std::vector<float>{1, 1, 2, 2}, {1, 1, 0.5f, 1.7f}})
                        check_lowered(
                            make_op("resize", {{"scales", factors},
                                               {"mode", mode},
                                               {"coordinate_transformation_mode", coordinates},
                                               {"nearest_mode", "floor"}}),
                            {x}, {.compiled = factors[2] == 2 and *mode == 'l'});
    check_lowered(make_op("resize", {{"sizes", {2, 8, 3, 10}},
                                     {"mode", "nearest"},
                                     {"coordinate_transformation_mode", "asymmetric"}}),
                  {noise(of({1, 4, 6, 5}))});
    check_lowered(make_op("resize", {{"sizes", {1, 4, 12, 10}},
                                     {"mode", "nearest"},
                                     {"coordinate_transformation_mode", "asymmetric"}}),
                  {noise({shape::uint8_type, {1, 4, 6, 5}})});
}

TEST(lower_images, attention) {
    for (int heads : {4, 2}) // of k and v
        for (bool causal : {false, true})
            for (const auto& l : {lens{2, 4, 9, 16}, lens{1, 4, 40, 32}, lens{1, 4, 1, 64}}) {
                const std::size_t keys = l[2] == 1 ? 13 : l[2];
                const lens kl{l[0], std::size_t(heads), keys, l[3]};
                const auto q = layouts(noise(of(l))), k = layouts(noise(of(kl), 2)),
                           v = layouts(noise(of(kl), 3));
                for (std::size_t i = 0; i < q.size(); ++i) {
                    const auto op = make_op("attention", {{"causal", causal}});
                    check_lowered(op, {q[i], k[i], v[(i + 1) % v.size()]});
                    check_lowered(op, {q[i], k[i], v[i], noise(of({l[2], keys}), 5)});
                    check_lowered(op, {q[i], k[i], v[i], noise(of({l[0], 1, 1, keys}), 5)});
                    check_lowered(
                        op, {q[i], k[i], v[i], scattered(noise(of({l[0], 4, l[2], keys}), 5))});
                    auto hidden = noise({shape::bool_type, {l[0], 1, l[2], keys}}, 6);
                    for (std::size_t r = 0; r < l[0] * l[2]; ++r)
                        hidden.data()[r * keys] = 1; // every query sees a key
                    check_lowered(op, {q[i], k[i], v[i], hidden});
                }
            }
}

TEST(lower_images, quantize) {
    const auto x = noise(of({4, 33})), scale = fill_argument(of({4, 33}), 0.01);
    const auto zero = fill_argument({shape::uint8_type, {4, 33}}, 100);
    check_lowered(make_op("quantizelinear"), {x, scale, zero}, {.tolerance = 0});
    check_lowered(make_op("quantizelinear", {{"out_type", shape::int8_type}}), {x, scale},
                  {.tolerance = 0});
    const auto q = ramp({shape::uint8_type, {4, 33}});
    check_lowered(make_op("dequantizelinear"), {q, scale, zero});
    check_lowered(make_op("dequantizelinear"), {q, scale});
}

} // namespace
