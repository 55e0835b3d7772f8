// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <map>
#include <string>

namespace eventweft::postgres {

/// By libpq's keywords.
using address_parts = std::map<std::string, std::string>;

/// What the address says itself; `bad_configuration` if libpq can't read it, or
/// reads something else in it than was meant. The error says nothing of what
/// stands in the address: that may be the password.
expected<address_parts> parse_address(const std::string& url);

/// The address without its password, in the form of a URL.
std::string describe_address(const address_parts& given);

} // namespace eventweft::postgres
