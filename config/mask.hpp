// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// Addresses without the secrets in them.
namespace eventweft::config {

/// The store's address with `***` in place of any password.
std::string mask_url(std::string_view url);

/// `http://…` with `***` in place of what it proves itself with.
std::string mask_web_url(std::string_view url);

} // namespace eventweft::config
