// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// Addresses and variables without the secrets in them.
namespace eventweft::config {

/// The store's address with `***` in place of any password.
std::string mask_url(std::string_view url);

/// `http://…` with `***` in place of what it proves itself with: user
/// information, and each value of its query.
std::string mask_web_url(std::string_view url);

/// `NAME=***` of `NAME=value`; a name alone is itself.
std::string mask_variable(std::string_view entry);

} // namespace eventweft::config
