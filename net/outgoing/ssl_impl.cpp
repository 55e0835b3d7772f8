// SPDX-License-Identifier: Apache-2.0
// The one place where asio::ssl is compiled.
#include <boost/asio/ssl/impl/src.hpp>
