// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace eventweft::correlation {

/// Whether a program of this name opens pull requests whose text quotes other
/// repositories' release notes, or is a release note itself: none of it is said
/// of the pull request.
bool quotes_releases(std::string_view login);

/// The part of a program's text above the release notes that it quotes; all of
/// it where it quotes none.
std::string_view above_releases(std::string_view body);

} // namespace eventweft::correlation
