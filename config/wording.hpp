// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/keys.hpp"
#include "config/value.hpp"

#include <string>

/// What messages say about a key: what it takes, and what was given instead.
namespace eventweft::config {

/// "a whole number from 1 to 256"
std::string expectation(const key& k);

/// What was given: `"12 parsecs"`, "a list"; no secret shows in it.
std::string found(const key& k, const raw_value& raw);

} // namespace eventweft::config
