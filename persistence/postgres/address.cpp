// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/address.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace eventweft::postgres {
namespace {

struct conninfo_deleter {
  void operator()(PQconninfoOption* options) const noexcept {
    PQconninfoFree(options);
  }
};

tl::unexpected<error> bad_address(std::string_view why) {
  return fail(ec::bad_configuration,
              "the store's address: " + std::string{why});
}

/// libpq quotes what it can't read, which is a password as often as not: of its
/// words only the kind of fault is told.
std::string_view kind_of_fault(std::string_view message) {
  if (message.starts_with("invalid percent-encoded token"))
    return "a % is not followed by two hexadecimal digits; a % of a password "
           "is written %25";
  if (message.starts_with("invalid URI query parameter") ||
      message.starts_with("invalid connection option"))
    return "it names a parameter that libpq does not know";
  return "libpq can't read it; in a URL, characters of a password other than "
         "letters and digits are written percent-encoded, such as %2F for a "
         "slash, in a connection string a value with blanks stands in quotes";
}

template <class Number>
bool is_number(std::string_view text, Number least, Number most) {
  Number value{};
  const auto* const end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, value);
  return failed == std::errc{} && at == end && value >= least && value <= most;
}

/// Whether `good` is so for each part of a list with commas.
template <class Predicate>
bool all_parts(std::string_view list, Predicate good) {
  for (;;) {
    const auto comma = list.find(',');
    if (!good(list.substr(0, comma)))
      return false;
    if (comma == std::string_view::npos)
      return true;
    list.remove_prefix(comma + 1);
  }
}

/// An `@` that belongs to a password written as it is: libpq takes the first
/// one for the end of the password, or a slash for the end of the host.
bool has_stray_at(std::string_view url) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://"))
    return false;
  url.remove_prefix(url.find("://") + 3);
  url = url.substr(0, url.find('?'));
  const auto at = url.find('@');
  return at != std::string_view::npos &&
         (at != url.rfind('@') || url.find('/') < at);
}

/// What libpq would find out at each attempt to connect only, or never.
std::optional<std::string_view> misread(const std::string& url,
                                        const address_parts& given) {
  const auto value = [&given](const char* name) -> std::string_view {
    const auto found = given.find(name);
    return found == given.end() ? std::string_view{} : found->second;
  };
  const bool hosts = all_parts(value("host"), [](std::string_view host) {
    // The name of a socket that is no file begins with one.
    return host.substr(std::min<size_t>(1, host.size())).find('@') ==
           std::string_view::npos;
  });
  if (!hosts || has_stray_at(url))
    return "it has more than one @, or one after a slash; an @ or a slash of a "
           "user or a password is written %40 or %2F";
  const bool ports = all_parts(value("port"), [](std::string_view port) {
    return port.empty() || is_number<uint32_t>(port, 1, 65'535);
  });
  if (!ports)
    return "the port is no number from 1 to 65535; a slash of a password is "
           "written %2F, a question mark %3F";
  if (const auto limit = value("connect_timeout");
      !limit.empty() && !is_number<int32_t>(limit, INT32_MIN, INT32_MAX))
    return "connect_timeout is no number";
  return std::nullopt;
}

} // namespace

expected<address_parts> parse_address(const std::string& url) {
  char* message = nullptr;
  std::unique_ptr<PQconninfoOption, conninfo_deleter> options{
      PQconninfoParse(url.c_str(), &message)};
  std::unique_ptr<char, decltype(&PQfreemem)> owned{message, &PQfreemem};
  if (!options)
    return bad_address(kind_of_fault(message ? message : ""));
  address_parts given;
  for (auto* o = options.get(); o->keyword; ++o)
    if (o->val)
      given.emplace(o->keyword, o->val);
  if (const auto why = misread(url, given))
    return bad_address(*why);
  return given;
}

std::string describe_address(const address_parts& given) {
  const auto value = [&given](const char* name) -> std::string {
    const auto found = given.find(name);
    return found == given.end() ? std::string{} : found->second;
  };
  std::string text = "postgresql://";
  if (given.contains("user"))
    text += value("user") + "@";
  text += given.contains("host") ? value("host") : value("hostaddr");
  if (given.contains("port"))
    text += ":" + value("port");
  return text + "/" + value("dbname");
}

} // namespace eventweft::postgres
