// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_REWRITE_RNN_HPP
#define MIGRAPHX_REWRITE_RNN_HPP

#include <string>

namespace migraphx {

struct module;

/// Last states of recurrent layers: rnn_last_hs_output and rnn_last_cell_output become members of
/// the results of rnn_all, gru_all or lstm_all, which replace the layers they mark.
struct rewrite_rnn {
    std::string name() const { return "rewrite_rnn"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
