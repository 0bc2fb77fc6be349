"""What mathematics predicts about the robustness of sparse classifiers."""
