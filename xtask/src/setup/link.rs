//! Links in the checkout, replaced in one step so that a build beside us never finds none.

use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Makes `link` point to `target`, whatever link stood there. Returns whether anything changed.
pub fn point(link: &Path, target: &Path) -> Result<bool> {
    if fs::read_link(link).is_ok_and(|present| present == target) {
        return Ok(false);
    }
    if fs::symlink_metadata(link).is_ok_and(|m| !m.is_symlink()) {
        bail!(
            "{} is no link; the set-up will not replace it\n  next: move it away and try again",
            link.display()
        );
    }
    if let Some(parent) = link.parent() {
        fs::create_dir_all(parent)
            .with_context(|| format!("failed to make folder {}", parent.display()))?;
    }
    let mut fresh = link.as_os_str().to_owned();
    fresh.push(format!(".tmp-{}", std::process::id()));
    let _ = fs::remove_file(&fresh);
    symlink(target, &fresh)
        .and_then(|()| fs::rename(&fresh, link))
        .with_context(|| format!("failed to link {} to {}", link.display(), target.display()))?;
    Ok(true)
}

/// Whether two paths name the same place without following a link at their end: folders above may
/// be links.
pub fn same_place(a: &Path, b: &Path) -> bool {
    let place = |p: &Path| {
        let p = std::path::absolute(p).ok()?;
        Some(p.parent()?.canonicalize().ok()?.join(p.file_name()?))
    };
    a == b || place(a).is_some_and(|a| place(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_made_kept_and_moved() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("tools/cmake");
        assert!(point(&link, Path::new("/one")).unwrap());
        assert!(!point(&link, Path::new("/one")).unwrap());
        assert!(point(&link, Path::new("/two")).unwrap());
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("/two"));
        assert_eq!(fs::read_dir(dir.path().join("tools")).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_of_the_users_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            point(dir.path(), Path::new("/one"))
                .unwrap_err()
                .to_string()
                .contains("is no link")
        );
    }

    #[test]
    fn a_link_is_another_place_than_its_target() {
        let dir = tempfile::tempdir().unwrap();
        let (link, folder) = (dir.path().join("link"), dir.path().join("folder"));
        fs::create_dir(&folder).unwrap();
        point(&link, &folder).unwrap();
        assert!(!same_place(&link, &folder));
        assert!(same_place(&dir.path().join("folder/../link"), &link));
    }
}
