//! What pages load: under names with a hash of the content, so that browsers may keep it for good.

use std::sync::LazyLock;

use reshelve::store::key_of;
use reshelve_core::raw::hex;

/// A file.
pub(super) struct Asset {
    /// Its name, with a hash of its content.
    pub(super) name: String,
    pub(super) content_type: &'static str,
    pub(super) content: &'static str,
}

/// All of them: the styles, the script, the picture.
static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    let asset = |content: &'static str, end: &str, content_type| {
        let hash = hex(&key_of(content.as_bytes())[..8]);
        Asset { name: format!("{hash}.{end}"), content_type, content }
    };
    [
        asset(
            concat!(
                include_str!("style.css"),
                include_str!("runs/style.css"),
                include_str!("bars.css")
            ),
            "css",
            "text/css; charset=utf-8",
        ),
        asset(
            concat!(include_str!("script.js"), include_str!("runs/follow.js")),
            "js",
            "text/javascript; charset=utf-8",
        ),
        asset(include_str!("icon.svg"), "svg", "image/svg+xml"),
    ]
});

/// The address of one, by the end of its name.
pub(super) fn address(end: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name.ends_with(end));
    format!("/ui/assets/{}", asset.map_or("", |asset| &asset.name))
}

pub(super) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}
