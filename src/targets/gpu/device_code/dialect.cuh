// SPDX-License-Identifier: MIT
// What all generated kernels start from, the same on CUDA, HIP and the host.
#pragma once
