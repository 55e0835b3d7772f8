// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/target.hpp"

#include "messages/ascii.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>

namespace eventweft::outgoing {

namespace {

namespace urls = boost::urls;

constexpr size_t max_url_bytes = 2'048;
constexpr size_t max_host_bytes = 253;
constexpr size_t max_label_bytes = 63;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_name_char(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

// What the WHATWG's URL parser would take for a number in an IPv4 address.
bool is_number(std::string_view label) noexcept {
  if (label.starts_with("0x"))
    return std::ranges::all_of(label.substr(2),
                               [](char c) { return hex_value(c) >= 0; });
  return std::ranges::all_of(label, is_digit);
}

tl::unexpected<error> refuse(std::string why) {
  return fail(ec::unprocessable, "url: " + std::move(why));
}

expected<void> check_name(std::string_view name) {
  if (name.empty())
    return refuse("there is no host");
  if (name.size() > max_host_bytes)
    return refuse("the host's name is too long");
  std::string_view label;
  for (size_t at = 0; at <= name.size();) {
    const auto dot = std::min(name.find('.', at), name.size());
    label = name.substr(at, dot - at);
    if (label.empty() || label.size() > max_label_bytes ||
        !std::ranges::all_of(label, is_name_char))
      return refuse("the host is no DNS name");
    at = dot + 1;
  }
  if (is_number(label))
    return refuse("an IPv4 address is written as four decimal numbers");
  return {};
}

} // namespace

expected<target> parse_target(std::string_view url) {
  if (url.size() > max_url_bytes)
    return refuse("longer than 2,048 bytes");
  const auto parsed =
      urls::parse_uri(urls::string_view{url.data(), url.size()});
  if (!parsed)
    return refuse("not a well-formed absolute URL");
  const urls::url_view view = *parsed;
  target out;
  if (view.scheme_id() == urls::scheme::https)
    out.origin.tls = true;
  else if (view.scheme_id() != urls::scheme::http)
    return refuse("only http and https can be sent to");
  if (!view.has_authority())
    return refuse("there is no host");
  if (view.has_userinfo())
    return refuse("a user or password in a URL ends up in logs; a subscription "
                  "may send headers instead");
  // Boost 1.81 ends the host of "http://127.0.0.1.example.com/" after the
  // fourth number and takes the rest for a path.
  const auto path = view.encoded_path();
  if (!path.empty() && path.front() != '/')
    return refuse("the host or port is not well-formed");
  const uint16_t usual = out.origin.tls ? 443 : 80;
  out.origin.port = usual;
  if (view.has_port() && !view.port().empty()) {
    // The URL library's own number is of 16 bits, whatever the text says.
    const auto port = view.port();
    const auto* end = port.data() + port.size();
    const auto [at, fault] = std::from_chars(port.data(), end, out.origin.port);
    if (fault != std::errc{} || at != end || out.origin.port == 0)
      return refuse("the port is not within 1 … 65535");
  }

  std::string host_text;
  switch (view.host_type()) {
  case urls::host_type::ipv4: {
    const auto bytes = view.host_ipv4_address().to_bytes();
    boost::asio::ip::address_v4::bytes_type copy{};
    std::ranges::copy(bytes, copy.begin());
    out.address = boost::asio::ip::address_v4{copy};
    out.origin.host = host_text = out.address->to_string();
    break;
  }
  case urls::host_type::ipv6: {
    if (view.encoded_host().find('%') != urls::string_view::npos)
      return refuse("an IPv6 address with a zone is of this machine only");
    const auto bytes = view.host_ipv6_address().to_bytes();
    boost::asio::ip::address_v6::bytes_type copy{};
    std::ranges::copy(bytes, copy.begin());
    out.address = boost::asio::ip::address_v6{copy};
    out.origin.host = out.address->to_string();
    host_text = "[" + out.origin.host + "]";
    break;
  }
  case urls::host_type::name: {
    // Decoded: %6c in a name must not get past what comes next.
    auto name = view.host();
    std::ranges::transform(name, name.begin(), lower);
    if (name.ends_with('.'))
      name.pop_back();
    if (auto fine = check_name(name); !fine)
      return fail(std::move(fine.error()));
    out.origin.host = host_text = std::move(name);
    break;
  }
  default:
    return refuse("the host is neither a name nor an IP address");
  }

  out.path.assign(path.data(), path.size());
  if (out.path.empty())
    out.path = "/";
  if (view.has_query()) {
    const auto query = view.encoded_query();
    out.path.append("?").append(query.data(), query.size());
  }
  out.host_header = std::move(host_text);
  if (out.origin.port != usual)
    out.host_header += ":" + std::to_string(out.origin.port);
  return out;
}

} // namespace eventweft::outgoing
